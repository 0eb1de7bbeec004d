/** What an installation is made of (compose file, unit, scripts, sample configuration, guides) agrees with the programs. */
@NullMarked
package dev.mayfly.demo.deployment;

import org.jspecify.annotations.NullMarked;
