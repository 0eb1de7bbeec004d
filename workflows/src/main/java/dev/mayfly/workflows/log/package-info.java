/** How control plane and agents log alike. */
@NullMarked
package dev.mayfly.workflows.log;

import org.jspecify.annotations.NullMarked;
