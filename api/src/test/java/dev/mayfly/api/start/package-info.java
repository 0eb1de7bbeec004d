@org.jspecify.annotations.NullMarked
package dev.mayfly.api.start;
