package dev.mayfly.demo;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** The project that the demonstration pushes: {@code demo/sample}, as a git repository of its own. */
public final class SampleProject {

    private SampleProject() {}

    /** A fresh git repository {@code hello} with the sample's files, below {@code work}. */
    static Path checkOut(Path work) {
        return repositoryOf(Path.of(System.getenv("MAYFLY_ROOT")).resolve("demo/sample"), work.resolve("hello"));
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
