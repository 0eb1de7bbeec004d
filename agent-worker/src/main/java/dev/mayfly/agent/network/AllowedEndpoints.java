package dev.mayfly.agent.network;

import dev.mayfly.workflows.agentapi.AgentApi.GitLabInstance;
import java.net.URI;
import java.util.Collection;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/** What guests may reach though it may be private, as {@code host:port}. Pure. */
public final class AllowedEndpoints {

    private AllowedEndpoints() {}

    /** Each instance's GitLab and what it allows besides, and what agent.yml allows. */
    public static Set<String> of(Collection<GitLabInstance> instances, List<String> alsoAllowed) {
        Set<String> all = new LinkedHashSet<>(alsoAllowed);
        for (GitLabInstance instance : instances) {
            URI url = URI.create(instance.url());
            int port = url.getPort() >= 0 ? url.getPort() : url.getScheme().equals("http") ? 80 : 443;
            all.add(url.getHost() + ":" + port);
            all.addAll(instance.allow());
        }
        return all;
    }
}
