package dev.mayfly.testkit.gitlab;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;

/** Root of a simulated GitLab at a terminal: runs the real git with root's token, for tests that push. */
public final class GitUser {
    private final SimulatedGitLab server;

    private GitUser(SimulatedGitLab server) {
        this.server = server;
    }

    public static GitUser rootOf(SimulatedGitLab server) {
        return new GitUser(server);
    }

    /** Commits these texts, by their names, in a new repository in {@code folder} and pushes it as {@code main}. */
    public void push(Path folder, String projectPath, Map<String, String> files) {
        try {
            Files.createDirectories(folder);
            for (Map.Entry<String, String> file : files.entrySet()) {
                Files.writeString(folder.resolve(file.getKey()), file.getValue());
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        git(folder, "init", "--quiet", "--initial-branch=main");
        git(folder, "add", ".");
        git(folder, "commit", "--quiet", "--message=first");
        pushCommit(folder, projectPath, "main");
    }

    /** Pushes what is checked out as this branch, whatever stands there. */
    public void pushCommit(Path folder, String projectPath, String branch) {
        git(
                folder,
                "push",
                "--quiet",
                "--force",
                server.url() + "/" + projectPath + ".git",
                "HEAD:refs/heads/" + branch);
    }

    /**
     * What git printed.
     *
     * @throws AssertionError with what it printed, if it fails
     */
    public String git(Path folder, String... arguments) {
        List<String> command = new ArrayList<>(List.of("git"));
        command.addAll(List.of(arguments));
        ProcessBuilder builder =
                new ProcessBuilder(command).directory(folder.toFile()).redirectErrorStream(true);
        String credentials =
                Base64.getEncoder().encodeToString(("root:" + server.rootToken()).getBytes(StandardCharsets.UTF_8));
        Map<String, String> env = builder.environment();
        env.put("GIT_CONFIG_COUNT", "1");
        env.put("GIT_CONFIG_KEY_0", "http.extraHeader");
        env.put("GIT_CONFIG_VALUE_0", "Authorization: Basic " + credentials);
        for (String who : List.of("AUTHOR", "COMMITTER")) {
            env.put("GIT_" + who + "_NAME", "Ann");
            env.put("GIT_" + who + "_EMAIL", "ann@example.com");
        }
        try {
            Process process = builder.start();
            process.getOutputStream().close();
            String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            if (process.waitFor() != 0) {
                throw new AssertionError(String.join(" ", command) + ": " + output);
            }
            return output;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }
}
