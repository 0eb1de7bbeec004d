package dev.mayfly.agent;

import dev.mayfly.agent.AgentConfig.Driver;
import dev.mayfly.agent.claim.ClaimBroker;
import dev.mayfly.agent.claim.ClaimSettings;
import dev.mayfly.agent.control.ControlPlane;
import dev.mayfly.agent.journal.SlotJournal;
import dev.mayfly.agent.network.AddressPlan;
import dev.mayfly.agent.network.Resolvers;
import dev.mayfly.agent.process.Commands;
import dev.mayfly.agent.tls.Trust;
import dev.mayfly.agent.vm.MicroVmDriver;
import dev.mayfly.agent.vm.qemu.QemuMicroVms;
import dev.mayfly.agent.vm.simulated.SimulatedMicroVms;
import dev.mayfly.workflows.agentapi.AgentApi.LeaseReply;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The one place where the agent's parts are made and put together, and the order in which they start: first the journal's
 * slots are taken over, then the relay listens, then the lease is had, then work is polled for. Closing ends the agent and
 * leaves VMs running.
 */
final class Wiring implements AutoCloseable {

    private static final Logger log = LoggerFactory.getLogger(Wiring.class);
    private static final Duration CONNECT_WITHIN = Duration.ofSeconds(5);

    private final Deque<AutoCloseable> open = new ArrayDeque<>();
    private final AgentConfig config;
    private final String credential;
    private final Commands commands;
    private final Clock clock;
    private final AddressPlan plan;

    Wiring(AgentConfig config, String credential, Commands commands, Clock clock) {
        this.config = config;
        this.credential = credential;
        this.commands = commands;
        this.clock = clock;
        this.plan = new AddressPlan(
                config.addressPool(),
                config.uidRange().first(),
                config.uidRange().size());
    }

    /** The client of the agents' calls. */
    static HttpClient httpClient(AgentConfig config) throws IOException {
        return HttpClient.newBuilder()
                .version(HttpClient.Version.HTTP_1_1)
                .connectTimeout(CONNECT_WITHIN)
                .sslContext(Trust.in(config.controlPlane().caFile()).context())
                .build();
    }

    /** Returns once the host takes work; waits for control plane and Temporal as long as it takes, and says so. */
    void start() throws IOException, InterruptedException {
        Path runDir = privateFolder(config.runDir());
        if (!Files.getFileStore(runDir).type().equals("tmpfs")) {
            log.warn("runDir {} is not on tmpfs, so runner and job tokens touch a disk; choose one under /run", runDir);
        }
        HostIdentity identity = new HostIdentity(config.stateDir(), config.hostId());
        ControlPlane controlPlane = new ControlPlane(
                httpClient(config),
                URI.create(config.controlPlane().url()),
                credential,
                identity.hostId(),
                () -> identity.lease().map(LeaseReply::instances).orElse(List.of()));
        Path heartbeatFile = runDir.resolve("heartbeat");
        opened(new Heartbeat(heartbeatFile, clock)).start(config.timeouts().agentGone());
        List<String> resolvers = Resolvers.find(config.guest().resolvers());
        MicroVmDriver driver = driver(heartbeatFile, resolvers);
        ClaimBroker broker = opened(new ClaimBroker(ClaimSettings.standard(relayAddress()), controlPlane, clock));
        SlotJournal journal = new SlotJournal(
                config.stateDir().toAbsolutePath(), clock, config.timeouts().tombstones());
        LeaseFirewall firewall = new LeaseFirewall(
                commands, plan, config.ports(), resolvers, config.egress().allow());
        boolean real = config.driver() != Driver.SIMULATED;
        HostMeter meter = new HostMeter(HostFacts.ofThisMachine(), config.stateDir(), clock);
        HostSlots slots = new HostSlots(
                journal,
                driver,
                broker,
                identity,
                new IndexPool(plan.slots()),
                real ? firewall : () -> {},
                runDir,
                meter);

        new StartupReclaim(journal, driver, slots, broker, identity, plan, config.stateDir(), runDir).run();
        Consumer<LeaseReply> onReply = real ? firewall : reply -> {};
        identity.lease().ifPresent(onReply);
        listen(broker);
        if (real && config.registry().isOn()) {
            opened(new Drivers(config, commands, plan, clock).registry())
                    .start(new InetSocketAddress(config.registry().port()));
        }

        HostReboot reboot = new HostReboot(slots, commands, config.rebootCommand());
        Inventory inventory = new Inventory(slots, journal, broker, meter);
        HostLease lease = opened(lease(
                controlPlane, identity, driver, inventory, new HostFence(slots, broker), onReply.andThen(reboot)));
        log.info(
                "{} asks {} for its lease",
                identity.hostId(),
                config.controlPlane().url());
        lease.acquire();
        lease.keep();
        HostVms activities = new HostVms(slots, broker, identity, opened(new WaitingCalls()));
        opened(new HostWorker(config.temporal(), identity.hostId(), activities, plan.slots()))
                .start();
        log.info("{} takes work", identity.hostId());
    }

    private void listen(ClaimBroker broker) throws IOException {
        try {
            broker.start();
        } catch (IOException e) {
            throw new IOException(
                    "the relay can't listen on port %d (%s); end what listens there, or choose another relayPort"
                            .formatted(config.relayPort(), e.getMessage()),
                    e);
        }
    }

    private HostLease lease(
            ControlPlane controlPlane,
            HostIdentity identity,
            MicroVmDriver driver,
            Inventory inventory,
            HostFence fence,
            Consumer<LeaseReply> onReply)
            throws IOException {
        return new HostLease(
                controlPlane::renew,
                identity,
                new HostLease.Description(
                        version(),
                        HostFacts.ofThisMachine().capacity(config),
                        HostFacts.arch(),
                        driver.name(),
                        driver.image().orElse(null),
                        HostFacts.bootId(),
                        config.labels()),
                inventory,
                fence,
                onReply,
                clock);
    }

    static String version() {
        String version = Wiring.class.getPackage().getImplementationVersion();
        return version == null ? "development" : version;
    }

    /** Real VMs meet the relay at their cables' ends; simulated ones on loopback, where nobody else gets in. */
    private InetSocketAddress relayAddress() {
        return config.driver() == Driver.SIMULATED
                ? new InetSocketAddress(InetAddress.getLoopbackAddress(), config.relayPort())
                : new InetSocketAddress(config.relayPort());
    }

    private MicroVmDriver driver(Path heartbeat, List<String> resolvers) throws IOException {
        if (config.driver() == Driver.SIMULATED) {
            return opened(
                    new SimulatedMicroVms(relayAddress(), config.simulated().boot()));
        }
        QemuMicroVms qemu = new Drivers(config, commands, plan, clock).qemu(heartbeat, resolvers);
        return opened(qemu);
    }

    private static Path privateFolder(Path folder) throws IOException {
        Files.createDirectories(folder);
        Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwx--x--x"));
        return folder.toAbsolutePath();
    }

    private <T extends AutoCloseable> T opened(T part) {
        open.push(part);
        return part;
    }

    @Override
    public void close() {
        while (!open.isEmpty()) {
            AutoCloseable part = open.pop();
            try {
                part.close();
            } catch (Exception e) {
                log.warn("{} did not close cleanly", part.getClass().getSimpleName(), e);
            }
        }
    }
}
