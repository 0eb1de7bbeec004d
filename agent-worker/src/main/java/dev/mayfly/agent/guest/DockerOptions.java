package dev.mayfly.agent.guest;

/**
 * What the runner in a guest runs docker jobs with.
 *
 * @param image of jobs that name none; empty fails them
 * @param helperImage what the official runner clones and moves artifacts in; empty takes its own choice
 * @param privileged whether their containers may do what their VM can
 */
public record DockerOptions(String image, String helperImage, boolean privileged) {}
