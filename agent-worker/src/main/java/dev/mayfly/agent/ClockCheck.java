package dev.mayfly.agent;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Clock;
import java.time.DateTimeException;
import java.time.Duration;
import java.time.Instant;
import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import java.util.Optional;

/** Compares this host's clock with the control plane's: tokens and certificates fail strangely where they differ. */
final class ClockCheck {

    private static final Duration MOST = Duration.ofSeconds(60);
    private static final Duration ANSWER_WITHIN = Duration.ofSeconds(5);

    private final HttpClient http;
    private final URI controlPlane;
    private final Clock clock;

    ClockCheck(HttpClient http, URI controlPlane, Clock clock) {
        this.http = http;
        this.controlPlane = controlPlane;
        this.clock = clock;
    }

    /**
     * What is wrong, if anything.
     *
     * @throws IOException if the control plane does not answer
     */
    Optional<String> problem() throws IOException, InterruptedException {
        HttpRequest request = HttpRequest.newBuilder(controlPlane)
                .timeout(ANSWER_WITHIN)
                .method("HEAD", HttpRequest.BodyPublishers.noBody())
                .build();
        Optional<String> date =
                http.send(request, BodyHandlers.discarding()).headers().firstValue("Date");
        return date.flatMap(text -> compare(text, clock.instant()));
    }

    static Optional<String> compare(String date, Instant here) {
        Instant there;
        try {
            there = ZonedDateTime.parse(date, DateTimeFormatter.RFC_1123_DATE_TIME)
                    .toInstant();
        } catch (DateTimeException e) {
            return Optional.empty();
        }
        Duration off = Duration.between(there, here);
        if (off.abs().compareTo(MOST) <= 0) {
            return Optional.empty();
        }
        return Optional.of("this host's clock is %d s %s the control plane's; have both set by NTP"
                .formatted(off.abs().toSeconds(), off.isNegative() ? "behind" : "ahead of"));
    }
}
