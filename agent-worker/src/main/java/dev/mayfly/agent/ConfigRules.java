package dev.mayfly.agent;

import dev.mayfly.agent.network.AddressPlan;
import dev.mayfly.agent.network.AllowedEndpoints;
import dev.mayfly.agent.network.Ipv4Network;
import dev.mayfly.agent.registry.Upstream;
import dev.mayfly.workflows.job.HostLabels;
import java.math.BigDecimal;
import java.net.URI;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.regex.Pattern;

/** What a value of {@code agent.yml} must be beyond its form, by its key. Pure. */
final class ConfigRules {

    private static final Pattern HOST_ID = Pattern.compile("[A-Za-z0-9][A-Za-z0-9._-]{0,62}");
    private static final Pattern LOOPBACK = Pattern.compile("localhost|127(\\.\\d{1,3}){3}|\\[::1]");
    private static final int LAST_PORT = 65_535;

    /** A rule, and what to write instead of what breaks it. */
    private record Rule(Predicate<Object> holds, String cure) {

        static Rule ofEach(Predicate<String> holds, String cure) {
            return new Rule(all -> ((List<?>) all).stream().allMatch(each -> holds.test(String.valueOf(each))), cure);
        }

        static <T> Rule of(Class<T> type, Predicate<T> holds, String cure) {
            return new Rule(value -> holds.test(type.cast(value)), cure);
        }
    }

    private static final Rule A_SECOND_OR_MORE = Rule.of(
            Duration.class, time -> time.compareTo(Duration.ofSeconds(1)) >= 0, "write a duration of at least 1s");
    private static final Rule NOT_NEGATIVE =
            Rule.of(Integer.class, number -> number >= 0, "write a number that is not negative");

    private static final Rule A_PORT =
            Rule.of(Integer.class, port -> port >= 1 && port <= LAST_PORT, "write a port of 1 to 65535");

    private static final Map<String, Rule> RULES = Map.ofEntries(
            Map.entry(
                    "hostId",
                    Rule.of(
                            String.class,
                            HOST_ID.asMatchPredicate(),
                            "write 1 to 63 letters, digits, dots, hyphens and underscores, such as host-1")),
            Map.entry(
                    "controlPlane.url",
                    Rule.of(
                            String.class,
                            ConfigRules::isSafeUrl,
                            "write an https URL such as https://mayfly.example.com:8443; plain http, which shows"
                                    + " everybody this host's credential, is for this machine itself only")),
            Map.entry(
                    "temporal.target",
                    Rule.of(
                            String.class,
                            AllowedEndpoints::isEndpoint,
                            "write host:port, such as temporal.example.com:7233")),
            Map.entry("capacity.cpus", Rule.of(BigDecimal.class, cpus -> cpus.signum() > 0, "write more than 0")),
            Map.entry("capacity.memoryMib", Rule.of(Integer.class, mib -> mib > 0, "write more than 0")),
            Map.entry("capacity.diskMib", NOT_NEGATIVE),
            Map.entry("capacity.diskFloorMib", NOT_NEGATIVE),
            Map.entry(
                    "addressPool",
                    Rule.of(
                            String.class,
                            parses(pool -> new AddressPlan(pool, 0, 3)),
                            "write an IPv4 network of 8 to 29 bits with no host bits set, such as 10.200.0.0/16")),
            Map.entry(
                    "labels",
                    Rule.ofEach(HostLabels::isLabel, "write letters, digits, '.', '_' and '-', such as [gpu, rack-7]")),
            Map.entry("relayPort", A_PORT),
            Map.entry("registry.port", A_PORT),
            Map.entry("registry.diskMib", NOT_NEGATIVE),
            Map.entry(
                    "registry.upstreams",
                    Rule.ofEach(
                            parses(Upstream::parse),
                            "write names of registries, such as [docker.io, quay.io], or docker.io=https://mirror.example.com"
                                    + " where a mirror stands for one")),
            Map.entry(
                    "egress.allow",
                    Rule.ofEach(
                            AllowedEndpoints::isEndpoint, "write host:port each, such as [registry.example.com:443]")),
            Map.entry(
                    "guest.resolvers",
                    Rule.ofEach(ConfigRules::isAddress, "write IPv4 addresses, such as [192.0.2.53]")),
            Map.entry("templates.most", NOT_NEGATIVE),
            Map.entry("templates.diskMib", NOT_NEGATIVE),
            Map.entry(
                    "simulated.boot",
                    Rule.of(Duration.class, time -> !time.isNegative(), "write a duration that is not negative")),
            Map.entry("timeouts.vmTimeToLive", A_SECOND_OR_MORE),
            Map.entry("timeouts.agentGone", A_SECOND_OR_MORE),
            Map.entry("timeouts.kvmProbe", A_SECOND_OR_MORE),
            Map.entry("timeouts.tombstones", A_SECOND_OR_MORE));

    private ConfigRules() {}

    /** What to write instead, if the value is against the key's rule. */
    static Optional<String> cure(String key, Object value) {
        return Optional.ofNullable(RULES.get(key))
                .filter(rule -> !rule.holds().test(value))
                .map(Rule::cure);
    }

    private static boolean isSafeUrl(String text) {
        if (!parses(URI::create).test(text)) {
            return false;
        }
        URI url = URI.create(text);
        String host = url.getHost();
        return host != null
                && ("https".equals(url.getScheme())
                        || ("http".equals(url.getScheme())
                                && LOOPBACK.matcher(host).matches()));
    }

    private static boolean isAddress(String text) {
        return text.indexOf('/') < 0 && parses(Ipv4Network::parse).test(text);
    }

    private static Predicate<String> parses(Function<String, ?> parser) {
        return text -> {
            try {
                return parser.apply(text) != null;
            } catch (IllegalArgumentException e) {
                return false;
            }
        };
    }
}
