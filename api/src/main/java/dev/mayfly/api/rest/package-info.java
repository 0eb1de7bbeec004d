/** The REST API for people and tools, {@code /api/v1}. Reads PostgreSQL, never Temporal's lists. */
@NullMarked
package dev.mayfly.api.rest;

import org.jspecify.annotations.NullMarked;
