package dev.mayfly.testkit.gitlab.ci;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** {@code parallel: N} and {@code parallel: matrix}: one job becomes several, each with a name and variables of its own. */
final class Matrix {
    /** One of them; {@code total} is 0 where there is no {@code parallel}. */
    record Instance(String name, Map<String, String> variables, int index, int total) {}

    private Matrix() {}

    static List<Instance> instances(String job, @Nullable Object parallel) {
        if (parallel == null) {
            return List.of(new Instance(job, Map.of(), 0, 0));
        }
        if (parallel instanceof Number number) {
            int total = number.intValue();
            if (total < 1 || total > 200) {
                throw new CiConfigException("jobs:" + job + ":parallel config must be between 1 and 200");
            }
            List<Instance> result = new ArrayList<>();
            for (int i = 1; i <= total; i++) {
                result.add(new Instance(job + " " + i + "/" + total, Map.of(), i, total));
            }
            return result;
        }
        List<Map<String, String>> combinations = new ArrayList<>();
        Object matrix = Yaml.map(parallel).get("matrix");
        if (!(matrix instanceof List<?> rows) || rows.isEmpty()) {
            throw new CiConfigException("jobs:" + job + ":parallel should be an integer or a hash");
        }
        rows.forEach(row -> combinations.addAll(product(Yaml.map(row))));
        List<Instance> result = new ArrayList<>();
        for (Map<String, String> values : combinations) {
            String name = job + ": [" + String.join(", ", values.values()) + "]";
            result.add(new Instance(name, values, result.size() + 1, combinations.size()));
        }
        return result;
    }

    private static List<Map<String, String>> product(Map<String, @Nullable Object> row) {
        List<Map<String, String>> result = List.of(new LinkedHashMap<>());
        for (Map.Entry<String, @Nullable Object> column : row.entrySet()) {
            List<Map<String, String>> wider = new ArrayList<>();
            for (Map<String, String> base : result) {
                for (String value : Yaml.texts(column.getValue())) {
                    Map<String, String> next = new LinkedHashMap<>(base);
                    next.put(column.getKey(), value);
                    wider.add(next);
                }
            }
            result = wider;
        }
        return result;
    }
}
