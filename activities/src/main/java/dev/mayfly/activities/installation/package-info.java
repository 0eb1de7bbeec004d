/** Who this installation is: the id that prefixes everything it makes. */
@NullMarked
package dev.mayfly.activities.installation;

import org.jspecify.annotations.NullMarked;
