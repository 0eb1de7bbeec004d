package dev.mayfly.testkit.gitlab.rest;

import dev.mayfly.testkit.gitlab.git.GitRepository;
import dev.mayfly.testkit.gitlab.http.ApiException;
import dev.mayfly.testkit.gitlab.http.Json;
import dev.mayfly.testkit.gitlab.model.Instance;
import dev.mayfly.testkit.gitlab.model.Project;
import java.util.List;
import java.util.regex.Pattern;

/** Makes projects with their repositories. */
public final class Projects {
    private static final Pattern PATH = Pattern.compile("[A-Za-z0-9_.-]+(/[A-Za-z0-9_.-]+)+");

    private final Instance instance;

    public Projects(Instance instance) {
        this.instance = instance;
    }

    public Project create(String fullPath, String visibility) {
        return create(fullPath, fullPath.substring(fullPath.lastIndexOf('/') + 1), visibility);
    }

    public Project create(String fullPath, String name, String visibility) {
        if (!PATH.matcher(fullPath).matches() || fullPath.contains("..")) {
            throw new ApiException(
                    400,
                    Json.object(
                            "message",
                            Json.object("path", List.of("can contain only letters, digits, '_', '-' and '.'."))));
        }
        if (instance.findProject(fullPath).isPresent()) {
            throw new ApiException(400, Json.object("message", Json.object("path", List.of("has already been taken"))));
        }
        long id = instance.nextId("project");
        Project project = new Project(
                id,
                instance.namespaceId(fullPath.substring(0, fullPath.lastIndexOf('/'))),
                fullPath,
                name,
                instance.dataFolder().resolve("repositories").resolve(id + ".git"),
                visibility,
                instance.now());
        new GitRepository(project.repository()).init(project.defaultBranch());
        instance.add(project);
        return project;
    }
}
