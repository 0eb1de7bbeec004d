/** The control plane's configuration file as validated records. A secret never stands in it, only where it is found. */
@NullMarked
package dev.mayfly.api.config;

import org.jspecify.annotations.NullMarked;
