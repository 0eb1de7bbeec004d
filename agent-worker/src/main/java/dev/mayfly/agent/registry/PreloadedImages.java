package dev.mayfly.agent.registry;

import dev.mayfly.agent.journal.DurableFiles;
import dev.mayfly.agent.process.Commands;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The images that an operator put into a folder, as archives. Whenever the folder's archives have changed a new store is made
 * of all of them and takes the old one's place. Stores and what was unpacked outlive the agent, so only archives that are new
 * cost anything.
 */
final class PreloadedImages {

    private static final Logger log = LoggerFactory.getLogger(PreloadedImages.class);
    private static final String ARCHIVES = "*.{tar,tar.gz,tgz,tar.xz,tar.bz2}";
    /** In a store, written last: which archives it was made of. */
    private static final String MADE_OF = "made-of";

    private final Path from;
    private final Path work;
    private final Commands commands;
    private final RegistryPrograms programs;
    private final Stores stores;
    private String served = "";

    /**
     * Serves nothing yet.
     *
     * @param from folder of the archives
     * @param work folder of its own on disk
     */
    PreloadedImages(Path from, Path work, Commands commands, RegistryPrograms programs, Backend backend) {
        this.from = from;
        this.work = work;
        this.commands = commands;
        this.programs = programs;
        this.stores = new Stores(work, backend);
    }

    private Path unpacked() {
        return work.resolve("unpacked");
    }

    /** Serves the store that an earlier agent made, if it is still what the folder holds. */
    void start() throws IOException {
        Files.createDirectories(unpacked());
        Path folder = stores.newest();
        Path madeOf = folder.resolve(MADE_OF);
        if (Files.exists(madeOf) && Files.readString(madeOf).equals(describe(archives()))) {
            stores.serve(serving(folder));
            served = Files.readString(madeOf);
        }
    }

    /** Serves what the folder holds now, if that is not what is served already. */
    void look() throws IOException {
        Map<String, Path> now = archives();
        String madeOf = describe(now);
        if (madeOf.equals(served)) {
            return;
        }
        Path folder = stores.next();
        RegistryStore store = new RegistryStore(folder);
        for (Map.Entry<String, Path> archive : now.entrySet()) {
            add(archive.getKey(), archive.getValue(), store);
        }
        Files.write(folder.resolve(MADE_OF), madeOf.getBytes(StandardCharsets.UTF_8));
        forgetAllBut(now);
        stores.serve(serving(folder));
        served = madeOf;
    }

    private RegistryProcess serving(Path folder) throws IOException {
        return programs.readOnly("of preloaded images", folder);
    }

    /** An archive that can't be used keeps no other from being served; it is tried again when it has changed. */
    private void add(String key, Path archive, RegistryStore store) {
        Path folder = unpacked().resolve(key);
        try {
            if (!Files.exists(folder)) {
                Path half = unpacked().resolve(key + ".half");
                DurableFiles.delete(half);
                Files.createDirectories(half);
                commands.run("tar", "--extract", "--no-same-owner", "--file=" + archive, "--directory=" + half);
                Files.move(half, folder);
            }
            log.info("{}: preloaded {}", archive, new ImageArchive(folder).into(store));
        } catch (IOException | RuntimeException e) {
            log.error("{} can't be preloaded, so its images are not there: {}", archive, e.getMessage());
        }
    }

    private void forgetAllBut(Map<String, Path> wanted) throws IOException {
        try (DirectoryStream<Path> all = Files.newDirectoryStream(unpacked())) {
            for (Path each : all) {
                if (!wanted.containsKey(String.valueOf(each.getFileName()))) {
                    DurableFiles.delete(each);
                }
            }
        }
    }

    /** By a key that changes with the archive. */
    private Map<String, Path> archives() throws IOException {
        Map<String, Path> found = new TreeMap<>();
        try (DirectoryStream<Path> all = Files.newDirectoryStream(from, ARCHIVES)) {
            for (Path each : all) {
                if (Files.isRegularFile(each)) {
                    long changed = Files.getLastModifiedTime(each).toMillis();
                    found.put("%s-%d-%d".formatted(each.getFileName(), Files.size(each), changed), each);
                }
            }
        }
        return found;
    }

    private static String describe(Map<String, Path> archives) {
        return String.join("\n", archives.keySet()) + "\n";
    }
}
