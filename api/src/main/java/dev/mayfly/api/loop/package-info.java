/** The control plane's background loops: each one thread, woken by what happens, with a tick in case it is not. */
@NullMarked
package dev.mayfly.api.loop;

import org.jspecify.annotations.NullMarked;
