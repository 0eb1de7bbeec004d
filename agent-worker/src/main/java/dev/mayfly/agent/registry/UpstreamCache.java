package dev.mayfly.agent.registry;

import java.io.IOException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What one upstream registry's images take on this host. {@code docker-registry} has no bound of its own, so a store that has
 * grown over the limit is left for an empty one. It outlives the agent.
 */
final class UpstreamCache {

    private static final Logger log = LoggerFactory.getLogger(UpstreamCache.class);

    private final Upstream upstream;
    private final long limitBytes;
    private final RegistryPrograms programs;
    private final Stores stores;
    private Path store;
    private boolean serves;

    /** @param work folder of its own on disk */
    UpstreamCache(Upstream upstream, Path work, long limitBytes, RegistryPrograms programs, Backend backend) {
        this.upstream = upstream;
        this.limitBytes = limitBytes;
        this.programs = programs;
        this.stores = new Stores(work, backend);
        this.store = work;
    }

    /** Serves what an earlier agent left, or nothing yet. */
    void start() throws IOException {
        store = stores.newest();
        serve();
    }

    private void serve() throws IOException {
        serves = false;
        stores.serve(programs.passingThrough("of " + upstream.name(), store, upstream.url()));
        serves = true;
    }

    /** Swaps an empty store in if this one is too large. */
    void look() throws IOException {
        if (!serves) {
            start();
        }
        long bytes = size(store);
        if (bytes > limitBytes) {
            log.info(
                    "{} MiB of images of {} are more than registry.diskMib allows, so they go; what is asked for is fetched anew",
                    bytes >> 20,
                    upstream.name());
            store = stores.next();
            serve();
        }
    }

    private static long size(Path folder) throws IOException {
        AtomicLong bytes = new AtomicLong();
        Files.walkFileTree(folder, new SimpleFileVisitor<>() {
            @Override
            public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) {
                bytes.addAndGet(attributes.size());
                return FileVisitResult.CONTINUE;
            }

            /** The registry moves files as it goes. */
            @Override
            public FileVisitResult visitFileFailed(Path file, IOException gone) {
                return FileVisitResult.CONTINUE;
            }

            @Override
            public FileVisitResult postVisitDirectory(Path visited, @Nullable IOException gone) {
                return FileVisitResult.CONTINUE;
            }
        });
        return bytes.get();
    }
}
