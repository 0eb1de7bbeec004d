package dev.mayfly.testkit.gitlab.admin;

import org.jspecify.annotations.Nullable;

/**
 * Something that goes wrong with requests.
 *
 * @param method null for any
 * @param path regular expression that the raw path must begin with, such as {@code /api/v4/runners}
 * @param status answered instead, 0 for none: only slow; -1 ends the connection without an answer
 * @param times for the next so many requests, -1 until switched off
 * @param retryAfter seconds in {@code Retry-After}, null for no such header
 */
public record HttpFault(
        @Nullable String method,
        String path,
        int status,
        int times,
        int delayMillis,
        @Nullable Integer retryAfter) {
    HttpFault once() {
        return times < 0 ? this : new HttpFault(method, path, status, times - 1, delayMillis, retryAfter);
    }
}
