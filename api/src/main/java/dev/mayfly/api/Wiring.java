package dev.mayfly.api;

import com.fasterxml.jackson.databind.ObjectMapper;
import dev.mayfly.activities.capacity.Hosts;
import dev.mayfly.activities.db.Channel;
import dev.mayfly.activities.db.Database;
import dev.mayfly.activities.gitlab.GitLabInstanceConfig;
import dev.mayfly.activities.gitlab.GitLabJobs;
import dev.mayfly.activities.gitlab.GitLabs;
import dev.mayfly.api.agents.AgentsResource;
import dev.mayfly.api.agents.HostFilter;
import dev.mayfly.api.agents.LeaseDesk;
import dev.mayfly.api.health.Dependency;
import dev.mayfly.api.health.Monitoring;
import dev.mayfly.api.health.Readiness;
import dev.mayfly.api.inbox.InboxWorker;
import dev.mayfly.api.inbox.OutboxSender;
import dev.mayfly.api.loop.Loop;
import dev.mayfly.api.rest.ApiFilter;
import dev.mayfly.api.rest.FleetResource;
import dev.mayfly.api.rest.JobsResource;
import dev.mayfly.api.rest.StatusResource;
import dev.mayfly.api.rest.SweepResource;
import dev.mayfly.api.start.JobIntake;
import dev.mayfly.api.start.JobStarter;
import dev.mayfly.api.start.Reconciler;
import dev.mayfly.api.sweep.Sweeper;
import dev.mayfly.api.sweep.Sweeping;
import dev.mayfly.api.temporal.ControlWorker;
import dev.mayfly.api.temporal.TemporalConnection;
import dev.mayfly.api.webhook.WebhookResource;
import io.dropwizard.core.setup.Environment;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Makes every object of the control plane, once, by hand. Ends without PostgreSQL, without which nothing can be promised;
 * Temporal and GitLab may come later: hosts must be able to renew their leases meanwhile.
 */
final class Wiring {

    private static final Logger LOG = LoggerFactory.getLogger(Wiring.class);
    private static final Duration TICK = Duration.ofSeconds(1);
    private static final Duration LOOK_AROUND = Duration.ofSeconds(5);
    private static final Duration TIDY = Duration.ofHours(1);
    private static final Duration KEPT = Duration.ofDays(7);
    private static final int IN_PARALLEL = 4;

    private final ApiConfiguration config;
    private final Environment environment;
    private final Clock clock;
    private final Settings settings;
    private final TemporalConnection temporal;

    Wiring(ApiConfiguration config, Environment environment, Clock clock) {
        this.config = config;
        this.environment = environment;
        this.clock = clock;
        this.settings = Settings.resolve(config, clock);
        this.temporal = new TemporalConnection(config.temporal());
    }

    void wire() throws InterruptedException {
        Database database = DatabaseAtStart.open(
                settings.database(), config.database().waitAtStart().toJavaDuration());
        Stores stores = Stores.over(database.jdbi(), settings, clock);
        GitLabs gitlabs = new GitLabs(settings.gitlab());
        GitLabJobs gitlab = new GitLabJobs(
                stores.jdbi(),
                clock,
                gitlabs,
                settings.sealer(),
                stores.installation().id(),
                config.vmTimeToLive().toJavaDuration());
        JobStarter starter = new JobStarter(temporal.client(), clock);
        JobIntake intake = new JobIntake(
                gitlab, stores.jobs(), stores.hosts(), config.tags().grammar(), starter);
        Sweeping sweeping = new Sweeping(
                config.sweeper(),
                temporal,
                stores.capacity(),
                stores.slots(),
                stores.hosts(),
                stores.jobs(),
                stores.installation(),
                gitlab,
                intake,
                clock);
        Readiness readiness = new Readiness(dependencies(database, gitlabs, sweeping.sweeper()), clock);

        Monitoring.register(environment, readiness, stores.jdbi());

        ObjectMapper json = environment.getObjectMapper();
        Loop inbox = new Loop(
                "inbox",
                IN_PARALLEL,
                TICK,
                new InboxWorker(stores.inbox(), stores.jobs(), intake, starter, json, clock));
        Loop outbox = new Loop("outbox", IN_PARALLEL, TICK, new OutboxSender(stores.outbox(), starter));
        Loop dispatcher = new Loop("dispatcher", TICK, () -> stores.capacity().dispatch() > 0);
        Loop sweeper = new Loop("sweeper", config.sweeper().every().toJavaDuration(), sweeping.sweeper());
        Loop reconciler = new Loop("reconciler", config.reconcileEvery().toJavaDuration(), new Reconciler(
                stores.jobs(),
                gitlab,
                intake,
                gitlabs.instances().stream().map(GitLabInstanceConfig::name).toList(),
                environment.metrics()));
        environment.lifecycle().manage(new Closing(List.of(temporal, gitlabs, database)));
        environment
                .lifecycle()
                .manage(new Background(
                        settings.database(),
                        temporal,
                        worker(stores, gitlab, sweeping),
                        List.of(
                                dispatcher,
                                new Loop("leases", TICK, () -> tickLeases(stores.hosts())),
                                new Loop("readiness", LOOK_AROUND, readiness::look),
                                new Loop("tidy", TIDY, () -> tidy(stores))),
                        List.of(inbox, outbox, sweeper, reconciler),
                        Map.of(Channel.INBOX, inbox, Channel.OUTBOX, outbox, Channel.DISPATCH, dispatcher)));

        LeaseDesk leases = new LeaseDesk(
                stores.hosts(),
                stores.slots(),
                settings.lease(),
                stores.installation().id(),
                gitlabs);
        register(
                new WebhookResource(
                        settings.webhooks(),
                        Math.toIntExact(config.webhook().maxBody().toBytes()),
                        stores.inbox(),
                        inbox::wake),
                new HostFilter(settings.hosts(), json),
                new AgentsResource(leases, stores.capacity(), gitlab, gitlabs, intake, outbox::wake),
                new ApiFilter(settings.apiToken()),
                new StatusResource(
                        readiness,
                        new StatusResource.Version(
                                version(), stores.installation().id())),
                new JobsResource(stores.jobs(), gitlab),
                new FleetResource(stores.hosts(), stores.slots()),
                new SweepResource(sweeping.sweeper(), sweeper::wake));
        if (settings.apiToken() == null) {
            LOG.warn("no apiToken is configured: the REST API answers this machine's loopback only");
        }
    }

    private ControlWorker worker(Stores stores, GitLabJobs gitlab, Sweeping sweeping) {
        return new ControlWorker(
                temporal.client(),
                config.timeouts(),
                new Object[] {stores.capacity(), gitlab},
                worker -> sweeping.register(worker, config.timeouts()));
    }

    private static boolean tickLeases(Hosts hosts) {
        for (String host : hosts.tick()) {
            LOG.warn("host {} is LOST: it has been silent for too long; its jobs go elsewhere or are failed", host);
        }
        return false;
    }

    private static boolean tidy(Stores stores) {
        stores.inbox().purge(KEPT);
        stores.outbox().purge(KEPT);
        return false;
    }

    private void register(Object... components) {
        for (Object component : components) {
            environment.jersey().register(component);
        }
    }

    private List<Dependency> dependencies(Database database, GitLabs gitlabs, Sweeper sweeper) {
        List<Dependency> all = new ArrayList<>();
        all.add(Dependencies.postgres(settings.database(), () -> {
            if (!database.isUp()) {
                throw new IllegalStateException("it gives no connection");
            }
        }));
        all.add(Dependencies.temporal(config.temporal(), temporal));
        gitlabs.instances().forEach(instance -> all.add(Dependencies.gitlab(instance, gitlabs)));
        all.add(Dependencies.sweeper(sweeper));
        return all;
    }

    private static String version() {
        String version = Wiring.class.getPackage().getImplementationVersion();
        return version == null ? "development" : version;
    }
}
