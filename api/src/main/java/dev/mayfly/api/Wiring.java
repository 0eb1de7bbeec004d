package dev.mayfly.api;

import com.fasterxml.jackson.databind.ObjectMapper;
import dev.mayfly.activities.capacity.Forecasts;
import dev.mayfly.activities.capacity.Hosts;
import dev.mayfly.activities.capacity.WhyWaiting;
import dev.mayfly.activities.db.Channel;
import dev.mayfly.activities.db.Database;
import dev.mayfly.activities.gitlab.GitLabInstanceConfig;
import dev.mayfly.activities.gitlab.GitLabJobs;
import dev.mayfly.activities.gitlab.GitLabs;
import dev.mayfly.activities.gitlab.StandInRunners;
import dev.mayfly.api.agents.AgentsResource;
import dev.mayfly.api.agents.HostFilter;
import dev.mayfly.api.agents.LeaseDesk;
import dev.mayfly.api.connect.ProjectWatch;
import dev.mayfly.api.health.Dependency;
import dev.mayfly.api.health.Monitoring;
import dev.mayfly.api.health.Readiness;
import dev.mayfly.api.inbox.InboxWorker;
import dev.mayfly.api.inbox.OutboxSender;
import dev.mayfly.api.ledger.Drift;
import dev.mayfly.api.ledger.DriftWatch;
import dev.mayfly.api.loop.Loop;
import dev.mayfly.api.rest.ApiFilter;
import dev.mayfly.api.rest.FleetResource;
import dev.mayfly.api.rest.JobsResource;
import dev.mayfly.api.rest.LedgerResource;
import dev.mayfly.api.rest.ProjectsResource;
import dev.mayfly.api.rest.StatusResource;
import dev.mayfly.api.rest.SweepResource;
import dev.mayfly.api.start.JobIntake;
import dev.mayfly.api.start.JobStarter;
import dev.mayfly.api.start.Reconciler;
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
    private static final Duration COMPARE = Duration.ofMinutes(5);
    private static final Duration FORECAST = Duration.ofSeconds(5);
    private static final Duration STAND_IN = Duration.ofMinutes(5);
    private static final Duration TIDY = Duration.ofHours(1);
    private static final Duration KEPT = Duration.ofDays(7);
    private static final int IN_PARALLEL = 4;

    private final ApiConfiguration config;
    private final Environment environment;
    private final Clock clock;
    private final Settings settings;
    private final TemporalConnection temporal;
    private final Database database;
    private final Stores stores;
    private final GitLabs gitlabs;
    private final GitLabJobs gitlab;
    private final WhyWaiting why;
    private final JobStarter starter;
    private final JobIntake intake;
    private final Sweeping sweeping;
    private final Drift drift;
    private final DriftWatch driftWatch;
    private final Readiness readiness;
    private final ProjectWatch projects;

    Wiring(ApiConfiguration config, Environment environment, Clock clock) throws InterruptedException {
        this.config = config;
        this.environment = environment;
        this.clock = clock;
        this.settings = Settings.resolve(config, clock);
        this.temporal = new TemporalConnection(config.temporal(), clock);
        this.database = DatabaseAtStart.open(
                settings.database(), config.database().waitAtStart().toJavaDuration());
        this.stores = Stores.over(database.jdbi(), settings, temporal.lag()::isBehind, clock);
        this.gitlabs = new GitLabs(settings.gitlab());
        this.gitlab = new GitLabJobs(
                stores.jdbi(),
                clock,
                gitlabs,
                settings.sealer(),
                stores.installation().id(),
                config.vmTimeToLive().toJavaDuration());
        this.why = new WhyWaiting(stores.jdbi(), stores.jobs(), stores.capacity(), stores.forecasts());
        this.starter = new JobStarter(temporal.client(), clock);
        this.intake = new JobIntake(
                gitlab, stores.jobs(), stores.hosts(), config.tags().grammar(), starter);
        this.sweeping = new Sweeping(
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
        this.drift = new Drift(stores.ledger(), stores.slots(), stores.jobs(), gitlab);
        this.driftWatch = new DriftWatch(drift::look);
        this.readiness = new Readiness(dependencies(), clock);
        this.projects = new ProjectWatch(stores.jobs(), gitlabs, config.gitlab(), clock, environment.metrics());
    }

    void wire() {
        ObjectMapper json = environment.getObjectMapper();
        Loop inbox = new Loop(
                "inbox",
                IN_PARALLEL,
                TICK,
                temporal.lag().paced(new InboxWorker(stores.inbox(), stores.jobs(), intake, starter, json, clock)));
        Loop outbox = new Loop("outbox", IN_PARALLEL, TICK, new OutboxSender(stores.outbox(), starter));
        Loop sweeper = new Loop("sweeper", config.sweeper().every().toJavaDuration(), sweeping.sweeper());
        environment.lifecycle().manage(new Closing(List.of(temporal, gitlabs, database)));
        environment.lifecycle().manage(background(inbox, outbox, sweeper));
        Monitoring.register(environment, readiness, driftWatch::lasting, stores.jdbi(), stores.hosts());
        registerResources(inbox, outbox, sweeper);
        if (settings.apiToken() == null) {
            LOG.warn("no apiToken is configured: the REST API answers this machine's loopback only");
        }
    }

    private Background background(Loop inbox, Loop outbox, Loop sweeper) {
        Loop dispatcher = new Loop("dispatcher", TICK, () -> stores.capacity().dispatch() > 0);
        Reconciler reconciler = new Reconciler(
                stores.jobs(),
                gitlab,
                intake,
                temporal.lag(),
                gitlabs.instances().stream().map(GitLabInstanceConfig::name).toList(),
                environment.metrics(),
                clock);
        StandInRunners standIns = new StandInRunners(
                stores.jdbi(), clock, gitlabs, stores.installation().id());
        return new Background(
                settings.database(),
                temporal,
                worker(),
                List.of(
                        dispatcher,
                        new Loop("leases", TICK, () -> tickLeases(stores.hosts())),
                        new Loop("readiness", LOOK_AROUND, readiness::look),
                        new Loop("ledger", COMPARE, driftWatch),
                        new Loop("forecasts", FORECAST, () -> forecast(stores.forecasts())),
                        new Loop("projects", config.webhook().watchEvery().toJavaDuration(), projects),
                        new Loop("stand-in-runners", STAND_IN, () -> standIn(standIns)),
                        new Loop("tidy", TIDY, this::tidy)),
                List.of(
                        inbox,
                        outbox,
                        sweeper,
                        new Loop("reconciler", config.reconcileEvery().toJavaDuration(), reconciler)),
                Map.of(Channel.INBOX, inbox, Channel.OUTBOX, outbox, Channel.DISPATCH, dispatcher));
    }

    private void registerResources(Loop inbox, Loop outbox, Loop sweeper) {
        String installation = stores.installation().id();
        LeaseDesk leases = new LeaseDesk(stores.hosts(), stores.slots(), settings.lease(), installation, gitlabs);
        int maxBody = Math.toIntExact(config.webhook().maxBody().toBytes());
        List.of(
                        new WebhookResource(settings.webhooks(), maxBody, stores.inbox(), inbox::wake),
                        new HostFilter(settings.hosts(), environment.getObjectMapper()),
                        new AgentsResource(leases, stores.capacity(), gitlab, gitlabs, intake, outbox::wake),
                        new ApiFilter(settings.apiToken()),
                        new StatusResource(readiness, new StatusResource.Version(version(), installation)),
                        new JobsResource(stores.jobs(), stores.ledger(), gitlab, why),
                        new FleetResource(stores.hosts(), stores.hostOrders(), stores.slots()),
                        new ProjectsResource(projects),
                        new LedgerResource(stores.ledger(), drift, clock),
                        new SweepResource(sweeping.sweeper(), sweeper::wake))
                .forEach(environment.jersey()::register);
    }

    private ControlWorker worker() {
        return new ControlWorker(
                temporal.client(),
                config.temporal().cachedWorkflows(),
                config.timeouts(),
                new Object[] {stores.capacity(), gitlab, why},
                worker -> sweeping.register(worker, config.timeouts()));
    }

    private static boolean tickLeases(Hosts hosts) {
        for (String host : hosts.tick()) {
            LOG.warn("host {} is LOST: it has been silent for too long; its jobs go elsewhere or are failed", host);
        }
        return false;
    }

    private static boolean forecast(Forecasts forecasts) {
        forecasts.note();
        return false;
    }

    private static boolean standIn(StandInRunners standIns) {
        standIns.renew();
        return false;
    }

    private boolean tidy() {
        stores.inbox().purge(KEPT);
        stores.outbox().purge(KEPT);
        int forgotten = stores.retention().forget(config.keepJobs().toJavaDuration());
        if (forgotten > 0) {
            LOG.info("{} jobs that ended more than {} ago are forgotten (keepJobs)", forgotten, config.keepJobs());
        }
        return false;
    }

    private List<Dependency> dependencies() {
        List<Dependency> all = new ArrayList<>();
        all.add(Dependencies.postgres(settings.database(), () -> {
            if (!database.isUp()) {
                throw new IllegalStateException("it gives no connection");
            }
        }));
        all.add(Dependencies.temporal(config.temporal(), temporal));
        gitlabs.instances().forEach(instance -> all.add(Dependencies.gitlab(instance, gitlabs)));
        all.add(Dependencies.sweeper(sweeping.sweeper()));
        return all;
    }

    private static String version() {
        String version = Wiring.class.getPackage().getImplementationVersion();
        return version == null ? "development" : version;
    }
}
