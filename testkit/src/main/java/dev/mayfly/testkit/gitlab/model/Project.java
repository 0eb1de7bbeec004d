package dev.mayfly.testkit.gitlab.model;

import java.nio.file.Path;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.Map;

/** A project: its repository, hooks, variables. Guarded by the instance's lock. */
public final class Project {
    private final long id;
    private final long namespaceId;
    private final String fullPath;
    private final String name;
    private final Path repository;
    private final Instant createdAt;
    private final Map<Long, Hook> hooks = new LinkedHashMap<>();
    private final Map<String, CiVariable> variables = new LinkedHashMap<>();
    private String visibility;
    private String defaultBranch = "main";
    private long lastPipelineIid;

    public Project(
            long id,
            long namespaceId,
            String fullPath,
            String name,
            Path repository,
            String visibility,
            Instant createdAt) {
        this.id = id;
        this.namespaceId = namespaceId;
        this.fullPath = fullPath;
        this.name = name;
        this.repository = repository;
        this.visibility = visibility;
        this.createdAt = createdAt;
    }

    public long id() {
        return id;
    }

    public long namespaceId() {
        return namespaceId;
    }

    /** {@code group/project}. */
    public String fullPath() {
        return fullPath;
    }

    public String path() {
        return fullPath.substring(fullPath.lastIndexOf('/') + 1);
    }

    public String namespace() {
        return fullPath.substring(0, fullPath.lastIndexOf('/'));
    }

    public String rootNamespace() {
        return fullPath.substring(0, fullPath.indexOf('/'));
    }

    public String name() {
        return name;
    }

    public String nameWithNamespace() {
        return namespace().replace("/", " / ") + " / " + name;
    }

    public Path repository() {
        return repository;
    }

    public Instant createdAt() {
        return createdAt;
    }

    public Map<Long, Hook> hooks() {
        return hooks;
    }

    /** By key. */
    public Map<String, CiVariable> variables() {
        return variables;
    }

    public String visibility() {
        return visibility;
    }

    public void changeVisibility(String newVisibility) {
        visibility = newVisibility;
    }

    public int visibilityLevel() {
        return switch (visibility) {
            case "public" -> 20;
            case "internal" -> 10;
            default -> 0;
        };
    }

    public String defaultBranch() {
        return defaultBranch;
    }

    public void changeDefaultBranch(String branch) {
        defaultBranch = branch;
    }

    public long nextPipelineIid() {
        return ++lastPipelineIid;
    }
}
