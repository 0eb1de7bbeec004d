package dev.mayfly.api.config;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.dropwizard.configuration.ConfigurationException;
import io.dropwizard.configuration.ConfigurationValidationException;
import io.dropwizard.configuration.YamlConfigurationFactory;
import jakarta.validation.ConstraintViolation;
import jakarta.validation.Validator;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.function.Function;

/**
 * Reads a YAML file into a configuration and reports everything that is wrong with it at once, one line each: unknown
 * keys with the nearest known one, missing keys, values out of their limits, and what {@code furtherProblems} finds.
 */
public final class StrictConfigurationFactory<T> extends YamlConfigurationFactory<T> {

    private static final String OVERRIDES = "dw";

    private final Class<T> type;
    private final Validator validator;
    private final Function<T, List<String>> furtherProblems;

    public StrictConfigurationFactory(
            Class<T> type, Validator validator, ObjectMapper mapper, Function<T, List<String>> furtherProblems) {
        super(type, null, mapper, OVERRIDES);
        this.type = type;
        this.validator = validator;
        this.furtherProblems = furtherProblems;
    }

    /** All problems of one file. */
    public static final class Problems extends ConfigurationException {

        private static final long serialVersionUID = 1L;

        Problems(String path, List<String> problems) {
            super(path, problems.stream().map(problem -> path + ": " + problem).toList());
        }
    }

    @Override
    protected T build(JsonNode node, String path) throws IOException, ConfigurationException {
        Keys keys = new Keys(mapper, type);
        List<String> problems = new ArrayList<>(keys.removeUnknown(node));
        List<String> missing = keys.missing(node);
        problems.addAll(missing);
        if (!missing.isEmpty()) {
            throw new Problems(path, problems);
        }
        T config = bind(node, path, problems);
        Set<ConstraintViolation<T>> violations = validator.validate(config);
        if (!violations.isEmpty()) {
            problems.addAll(new ConfigurationValidationException(path, violations).getErrors());
        }
        problems.addAll(furtherProblems.apply(config));
        if (!problems.isEmpty()) {
            throw new Problems(path, problems);
        }
        return config;
    }

    private T bind(JsonNode node, String path, List<String> problems) throws IOException, ConfigurationException {
        try {
            return super.build(node, path);
        } catch (ConfigurationException e) {
            problems.addAll(words(e));
            throw new Problems(path, problems);
        }
    }

    /** What our own records say of a value is said in their words; else Jackson's first line, which names the place. */
    private static List<String> words(ConfigurationException e) {
        Throwable cause = e;
        while (cause.getCause() != null) {
            cause = cause.getCause();
        }
        List<String> errors =
                e.getErrors().stream().map(error -> error.lines().findFirst().orElse(error)).toList();
        boolean isOurs = cause instanceof IllegalArgumentException && !(cause instanceof JsonProcessingException);
        return isOurs
                ? errors.stream().map(error -> error.replaceFirst(";.*", "") + ": " + cause(e)).toList()
                : errors;
    }

    private static String cause(Throwable failure) {
        Throwable cause = failure;
        while (cause.getCause() != null) {
            cause = cause.getCause();
        }
        return String.valueOf(cause.getMessage());
    }
}
