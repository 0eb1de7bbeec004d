package dev.mayfly.demo;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** The projects that the demonstration pushes, of {@code demo/samples}: each becomes a git repository of its own. */
public final class SampleProject {

    private SampleProject() {}

    /** Their names; the first one is what is pushed if nothing else is asked for. */
    static final List<String> NAMES = List.of("hello", "containers");

    /** A fresh git repository with a sample's files, below {@code work}. */
    static Path checkOut(String name, Path work) {
        return repositoryOf(
                Path.of(System.getenv("MAYFLY_ROOT")).resolve("demo/samples").resolve(name), work.resolve(name));
    }

    /** Copies the files into {@code target} and commits them there. */
    public static Path repositoryOf(Path files, Path target) {
        Shell.run("cp", "-r", files.toString(), target.toString());
        git(target, "init", "--quiet", "--initial-branch=main");
        commit(target, "The sample project");
        return target;
    }

    private static void commit(Path repository, String message) {
        git(repository, "add", "--all");
        commitStaged(repository, message);
    }

    /** Commits what was added, and nothing else. */
    static void commitStaged(Path repository, String message) {
        git(
                repository,
                "-c",
                "user.name=Sample",
                "-c",
                "user.email=sample@example.com",
                "-c",
                "commit.gpgsign=false",
                "commit",
                "--quiet",
                "--message",
                message);
    }

    static String git(Path repository, String... arguments) {
        List<String> command = new ArrayList<>(List.of("git", "-C", repository.toString()));
        command.addAll(List.of(arguments));
        return Shell.run(command);
    }
}
