package dev.mayfly.agent.registry;

import dev.mayfly.agent.journal.DurableFiles;
import dev.mayfly.agent.process.Commands;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The images that this host keeps for its guests: one process of {@code docker-registry} for those that an operator
 * preloaded, one for each upstream, and a {@link RegistryFront} before them. The processes end with the agent; what they
 * keep on disk does not. A registry that does not start keeps no host from its work: guests then ask the images' own.
 */
public final class HostRegistry implements AutoCloseable {

    private static final Logger log = LoggerFactory.getLogger(HostRegistry.class);
    private static final Duration ENDS_WITHIN = Duration.ofSeconds(5);
    private static final Duration UNPACKED_WITHIN = Duration.ofHours(1);

    private final ScheduledExecutorService looks = Executors.newSingleThreadScheduledExecutor(work -> {
        Thread thread = new Thread(work, "registry-looks");
        thread.setDaemon(true);
        return thread;
    });
    private final Settings settings;
    private final Deque<Look> parts = new ArrayDeque<>();
    private final Map<String, Backend> upstreams = new HashMap<>();
    private final Backend preloaded = new Backend();
    private final RegistryFront front;

    /**
     * What a host's registry is made of.
     *
     * @param program {@code docker-registry}
     * @param uid user and group id of its processes, which nothing else has
     * @param preload folder of archives of images, null for none
     * @param upstreams registries whose images pass through
     * @param caFile private CA certificates that upstreams are trusted by besides the machine's, null for none
     * @param diskMib what the upstreams' images may take together
     * @param work folder on disk
     * @param sockets folder for sockets: a short path that others may pass
     * @param every how often the folder of archives and the stores' sizes are looked at
     */
    public record Settings(
            Path program,
            int uid,
            @Nullable Path preload,
            List<Upstream> upstreams,
            @Nullable Path caFile,
            int diskMib,
            Path work,
            Path sockets,
            Duration every) {}

    /** A part that is looked after. */
    private interface Look {
        void look() throws IOException;
    }

    /** A registry that does nothing yet. */
    public HostRegistry(Settings settings) {
        this(settings, RegistryFront.Limits.standard());
    }

    HostRegistry(Settings settings, RegistryFront.Limits limits) {
        this.settings = settings;
        settings.upstreams().forEach(each -> upstreams.put(each.name(), new Backend()));
        this.front = new RegistryFront(preloaded, upstreams, limits);
    }

    /**
     * Serves what is there already, listens, and unpacks what is new beside.
     *
     * @throws IOException if the address can't be had
     */
    public void start(InetSocketAddress address) throws IOException {
        DurableFiles.delete(settings.sockets());
        Files.createDirectories(settings.sockets());
        Files.setPosixFilePermissions(settings.sockets(), PosixFilePermissions.fromString("rwx--x--x"));
        Commands commands = new Commands(UNPACKED_WITHIN);
        RegistryPrograms programs = new RegistryPrograms(
                commands, settings.program(), settings.uid(), settings.sockets(), settings.caFile());
        if (settings.preload() != null) {
            PreloadedImages images = new PreloadedImages(
                    settings.preload(), settings.work().resolve("preloaded"), commands, programs, preloaded);
            parts.add(images::look);
            tried(images::start);
        }
        long limit = ((long) settings.diskMib() << 20)
                / Math.max(1, settings.upstreams().size());
        for (Upstream upstream : settings.upstreams()) {
            Backend backend = upstreams.get(upstream.name());
            if (backend != null) {
                Path work = settings.work().resolve("upstream-" + upstream.name());
                UpstreamCache cache = new UpstreamCache(upstream, work, limit, programs, backend);
                parts.add(cache::look);
                tried(cache::start);
            }
        }
        front.listen(address);
        long every = settings.every().toMillis();
        var unused =
                looks.scheduleWithFixedDelay(() -> parts.forEach(HostRegistry::tried), 0, every, TimeUnit.MILLISECONDS);
    }

    private static void tried(Look part) {
        try {
            part.look();
        } catch (InterruptedIOException ends) {
            log.debug("the registry ends while it makes a store", ends);
        } catch (IOException | RuntimeException e) {
            log.error("this host's registry lacks images, tried again soon: {}", e.getMessage(), e);
        }
    }

    /** Where it listens. */
    InetSocketAddress address() {
        return front.address();
    }

    @Override
    public void close() {
        looks.shutdownNow();
        try {
            if (!looks.awaitTermination(ENDS_WITHIN.toMillis(), TimeUnit.MILLISECONDS)) {
                log.warn("a store of images is still being made; what starts late ends with this process");
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        front.close();
        preloaded.close();
        upstreams.values().forEach(Backend::close);
    }
}
