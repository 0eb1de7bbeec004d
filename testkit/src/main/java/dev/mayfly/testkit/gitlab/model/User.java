package dev.mayfly.testkit.gitlab.model;

/** A user. */
public record User(long id, String username, String name, String email) {}
