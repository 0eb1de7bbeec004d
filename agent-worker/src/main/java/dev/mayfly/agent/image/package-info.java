/** Guest images: kernel, root file system and what is known of them. */
@NullMarked
package dev.mayfly.agent.image;

import org.jspecify.annotations.NullMarked;
