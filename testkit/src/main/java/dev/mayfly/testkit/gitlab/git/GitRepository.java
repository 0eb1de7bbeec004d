package dev.mayfly.testkit.gitlab.git;

import dev.mayfly.testkit.gitlab.ci.CommitFiles;
import dev.mayfly.testkit.gitlab.model.Pipeline;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.OffsetDateTime;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/** A bare repository on disk, read with the {@code git} command. */
public final class GitRepository {
    /** The id of no commit: what a ref had before it was made. */
    public static final String NO_COMMIT = "0".repeat(40);

    private final Path folder;

    public GitRepository(Path folder) {
        this.folder = folder;
    }

    /** Makes the repository unless it is there. */
    public void init(String defaultBranch) {
        if (Files.exists(folder.resolve("HEAD"))) {
            return;
        }
        try {
            Files.createDirectories(folder);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        run("init", "--quiet", "--bare", "--initial-branch=" + defaultBranch, ".");
        run("config", "http.receivepack", "true");
        run("config", "uploadpack.allowAnySHA1InWant", "true");
        run("config", "uploadpack.allowFilter", "true");
        run("config", "receive.advertisePushOptions", "true");
    }

    /** Branches and tags with the commits that they point at. */
    public Map<String, String> refs() {
        Map<String, String> refs = new LinkedHashMap<>();
        String listing =
                run("for-each-ref", "--format=%(refname) %(objectname) %(*objectname)", "refs/heads", "refs/tags");
        for (String line : listing.lines().toList()) {
            String[] parts = line.split(" ", -1);
            if (parts.length >= 2) {
                refs.put(parts[0], parts.length > 2 && !parts[2].isEmpty() ? parts[2] : parts[1]);
            }
        }
        return refs;
    }

    /** The commit of a branch, tag or id. */
    public Optional<String> resolve(String ref) {
        try {
            return Optional.of(
                    run("rev-parse", "--verify", "--quiet", ref + "^{commit}").strip());
        } catch (IllegalStateException e) {
            return Optional.empty();
        }
    }

    public void setHead(String branch) {
        run("symbolic-ref", "HEAD", "refs/heads/" + branch);
    }

    public Pipeline.Commit commit(String sha) {
        String[] parts =
                run("log", "-1", "--format=%H%x00%cI%x00%an%x00%ae%x00%B", sha).split("\0", 5);
        return new Pipeline.Commit(
                parts[0],
                parts[4].stripTrailing() + "\n",
                OffsetDateTime.parse(parts[1]).toInstant(),
                parts[2],
                parts[3]);
    }

    /** The files of a commit; {@code before} tells what has changed. */
    public CommitFiles files(String sha, String before) {
        return new CommitFiles() {
            @Override
            public Optional<String> read(String path) {
                try {
                    return Optional.of(run("show", sha + ":" + path));
                } catch (IllegalStateException e) {
                    return Optional.empty();
                }
            }

            @Override
            public List<String> list() {
                return names(run("ls-tree", "-r", "--name-only", "-z", sha));
            }

            @Override
            public Optional<List<String>> changed() {
                return before.equals(NO_COMMIT) || resolve(before).isEmpty()
                        ? Optional.empty()
                        : Optional.of(names(run("diff", "--name-only", "-z", before, sha)));
            }
        };
    }

    /** What git's {@code -z} ended with zero bytes. */
    private static List<String> names(String output) {
        return Stream.of(output.split("\0", -1)).filter(name -> !name.isEmpty()).toList();
    }

    private String run(String... arguments) {
        List<String> command = new ArrayList<>(List.of("git"));
        command.addAll(List.of(arguments));
        try {
            Process process = new ProcessBuilder(command)
                    .directory(folder.toFile())
                    .redirectError(ProcessBuilder.Redirect.DISCARD)
                    .start();
            process.getOutputStream().close();
            String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            int exit = process.waitFor();
            if (exit != 0) {
                throw new IllegalStateException(
                        "git " + String.join(" ", arguments) + " in " + folder + " exited with " + exit);
            }
            return output;
        } catch (IOException e) {
            throw new UncheckedIOException("cannot run git in " + folder, e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted while git ran", e);
        }
    }
}
