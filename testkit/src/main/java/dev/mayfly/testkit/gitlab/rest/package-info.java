/** The REST API as users and gitlab4j call it. */
@NullMarked
package dev.mayfly.testkit.gitlab.rest;

import org.jspecify.annotations.NullMarked;
