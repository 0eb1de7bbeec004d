package dev.mayfly.api.config;

import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.dropwizard.configuration.ConfigurationException;
import io.dropwizard.configuration.ConfigurationSourceProvider;
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
        super(type, null, mapper.copy().enable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES), OVERRIDES);
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
    public T build(ConfigurationSourceProvider provider, String path) throws IOException, ConfigurationException {
        try {
            return super.build(provider, path);
        } catch (Problems e) {
            throw e;
        } catch (ConfigurationException e) { // no YAML, or nothing at all
            throw new Problems(path, words(e));
        }
    }

    @Override
    protected T build(JsonNode node, String path) throws IOException, ConfigurationException {
        if (!node.isObject()) {
            throw new Problems(path, List.of("it holds no configuration; config/api.yml shows what one looks like"));
        }
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

    /** What our own records say of a value is said in their words; else Dropwizard's or Jackson's, without their stack. */
    private static List<String> words(ConfigurationException e) {
        Throwable root = e;
        while (root.getCause() != null) {
            root = root.getCause();
        }
        String cause = root instanceof IllegalArgumentException ? String.valueOf(root.getMessage()) : null;
        return e.getErrors().stream()
                .map(error -> cause == null ? oneLine(error) : oneLine(error).replaceFirst(";.*", ": ") + cause)
                .toList();
    }

    private static String oneLine(String error) {
        List<String> lines = error.lines().map(String::strip).toList();
        boolean suggests = lines.size() > 2 && lines.get(1).startsWith("Did you mean");
        return suggests ? String.join(" ", lines.subList(0, 3)) : lines.get(0);
    }
}
