package dev.mayfly.api.cli;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.PrintStream;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** Rows under headings, each column as wide as it must be. */
final class Table {

    private final List<List<String>> rows = new ArrayList<>();

    Table(String... headings) {
        rows.add(List.of(headings));
    }

    void add(String... cells) {
        rows.add(List.of(cells));
    }

    void print(PrintStream to) {
        int columns = rows.get(0).size();
        int[] widths = new int[columns];
        for (List<String> row : rows) {
            for (int i = 0; i < columns; i++) {
                widths[i] = Math.max(widths[i], row.get(i).length());
            }
        }
        for (List<String> row : rows) {
            StringBuilder line = new StringBuilder();
            for (int i = 0; i < columns; i++) {
                line.append(row.get(i)).append(" ".repeat(widths[i] - row.get(i).length() + 2));
            }
            to.println(line.toString().stripTrailing());
        }
    }

    /** Names and values in two columns; those without a value, which is a hyphen, are left out. */
    static void print(Map<String, String> lines, PrintStream to) {
        lines.forEach((name, value) -> {
            if (!value.equals("-")) {
                to.println("%-10s %s".formatted(name, value));
            }
        });
    }

    /** The value's text, a hyphen for none. */
    static String text(JsonNode value) {
        return value.isMissingNode() || value.isNull() || value.asText().isEmpty() ? "-" : value.asText();
    }

    /** {@code 4c/8192m} of a size or capacity, a hyphen for none. */
    static String size(JsonNode size) {
        if (!size.isObject()) {
            return "-";
        }
        double cpus = size.path("milliCpus").asInt() / 1000.0;
        return "%sc/%dm"
                .formatted(
                        String.valueOf(cpus).replaceFirst("\\.0$", ""),
                        size.path("memoryMib").asInt());
    }
}
