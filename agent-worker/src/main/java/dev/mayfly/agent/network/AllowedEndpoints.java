package dev.mayfly.agent.network;

import dev.mayfly.workflows.agentapi.AgentApi.GitLabInstance;
import java.net.URI;
import java.util.Collection;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** What guests may reach though it may be private, as {@code host:port}. Pure. */
public final class AllowedEndpoints {

    private static final Pattern FORM = Pattern.compile("[^:\\s]+:(\\d{1,5})");
    private static final int LAST_PORT = 65_535;

    private AllowedEndpoints() {}

    /** Whether a text has the form {@code host:port}. */
    public static boolean isEndpoint(String text) {
        Matcher form = FORM.matcher(text);
        return form.matches() && Integer.parseInt(form.group(1)) <= LAST_PORT;
    }

    /** Each instance's GitLab and what it allows besides, and what agent.yml allows. */
    public static Set<String> of(Collection<GitLabInstance> instances, List<String> alsoAllowed) {
        Set<String> all = new LinkedHashSet<>(alsoAllowed);
        for (GitLabInstance instance : instances) {
            URI url = URI.create(instance.url());
            int port = url.getPort() >= 0 ? url.getPort() : "http".equals(url.getScheme()) ? 80 : 443;
            all.add(url.getHost() + ":" + port);
            all.addAll(instance.allow());
        }
        return all;
    }
}
