package dev.mayfly.agent.registry;

import dev.mayfly.agent.journal.DurableFiles;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The stores of one backend, numbered: the newest is served, one before it is there only until its last answer is given. */
final class Stores {

    private static final Logger log = LoggerFactory.getLogger(Stores.class);
    private static final Pattern NAME = Pattern.compile("store-([1-9]\\d{0,8})");

    private final Path work;
    private final Backend backend;
    private int newest;

    Stores(Path work, Backend backend) {
        this.work = work;
        this.backend = backend;
    }

    /** The newest store, made if there is none; what an earlier agent left besides is removed. */
    Path newest() throws IOException {
        Files.createDirectories(work);
        for (int number : present()) {
            newest = Math.max(newest, number);
        }
        newest = Math.max(newest, 1);
        removeOlder();
        return Files.createDirectories(folder(newest));
    }

    /** A fresh, empty one. */
    Path next() throws IOException {
        newest++;
        DurableFiles.delete(folder(newest));
        return Files.createDirectories(folder(newest));
    }

    /** Lets this process of the newest store give all answers from now on; older stores go after their last answer. */
    void serve(RegistryProcess process) {
        var unused = backend.serve(process.socket(), process::close).thenRun(() -> {
            try {
                removeOlder();
            } catch (IOException e) {
                log.warn("{} holds stores that can't be removed; the agent's next start tries again", work, e);
            }
        });
    }

    private void removeOlder() throws IOException {
        for (int number : present()) {
            if (number < newest) {
                DurableFiles.delete(folder(number));
            }
        }
    }

    private List<Integer> present() throws IOException {
        List<Integer> numbers = new ArrayList<>();
        try (Stream<Path> all = Files.list(work)) {
            for (Path each : (Iterable<Path>) all::iterator) {
                Matcher name = NAME.matcher(String.valueOf(each.getFileName()));
                if (name.matches()) {
                    numbers.add(Integer.valueOf(name.group(1)));
                }
            }
        }
        return numbers;
    }

    private Path folder(int number) {
        return work.resolve("store-" + number);
    }
}
