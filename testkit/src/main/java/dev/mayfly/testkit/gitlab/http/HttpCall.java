package dev.mayfly.testkit.gitlab.http;

import com.sun.net.httpserver.HttpExchange;
import java.io.IOException;
import java.io.InputStream;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** One request: path, query, headers and either parameters or a body to stream. */
public final class HttpCall {
    private static final int PARAMETER_LIMIT = 25 << 20;

    private final HttpExchange exchange;
    private final Map<String, String> path;
    private @Nullable Map<String, Object> parameters;

    HttpCall(HttpExchange exchange, Map<String, String> path) {
        this.exchange = exchange;
        this.path = path;
    }

    public String method() {
        return exchange.getRequestMethod();
    }

    public String rawPath() {
        return exchange.getRequestURI().getRawPath();
    }

    public String rawQuery() {
        String query = exchange.getRequestURI().getRawQuery();
        return query == null ? "" : query;
    }

    /** A segment that the route named. */
    public String path(String name) {
        String value = path.get(name);
        if (value == null) {
            throw new IllegalArgumentException("the route names no " + name);
        }
        return value;
    }

    public long id(String name) {
        try {
            return Long.parseLong(path(name));
        } catch (NumberFormatException e) {
            throw ApiException.parameter(name + "_id is invalid");
        }
    }

    public @Nullable String header(String name) {
        return exchange.getRequestHeaders().getFirst(name);
    }

    public String remoteAddress() {
        return exchange.getRemoteAddress().getAddress().getHostAddress();
    }

    /** The body as it comes; not together with {@link #parameters()}. */
    public InputStream body() {
        return exchange.getRequestBody();
    }

    /** Query and body (JSON or form) together; arrays are lists, whatever they were written as. */
    public Map<String, Object> parameters() throws IOException {
        if (parameters == null) {
            Map<String, Object> all = new LinkedHashMap<>();
            addForm(all, rawQuery());
            String type = header("Content-Type");
            String kind = type == null ? "" : type.toLowerCase(Locale.ROOT);
            if (kind.matches("application/([a-z.-]+\\+)?json.*")) {
                byte[] json = readLimited();
                if (json.length > 0) {
                    all.putAll(Json.parseObject(json));
                }
            } else if (kind.startsWith("application/x-www-form-urlencoded")) {
                addForm(all, new String(readLimited(), StandardCharsets.UTF_8));
            }
            parameters = all;
        }
        return parameters;
    }

    public @Nullable String query(String name) {
        Map<String, Object> all = new LinkedHashMap<>();
        addForm(all, rawQuery());
        Object value = all.get(name);
        return value == null ? null : String.valueOf(value);
    }

    public @Nullable String text(String name) {
        Object value = parsed().get(name);
        return value == null ? null : String.valueOf(value);
    }

    public String required(String name) {
        String value = text(name);
        if (value == null) {
            throw ApiException.parameter(name + " is missing");
        }
        return value;
    }

    public boolean flag(String name, boolean otherwise) {
        String value = text(name);
        return value == null
                ? otherwise
                : List.of("true", "1", "t", "yes", "on").contains(value.toLowerCase(Locale.ROOT));
    }

    public @Nullable Long number(String name) {
        String value = text(name);
        if (value == null || value.isEmpty()) {
            return null;
        }
        try {
            return Long.valueOf(value);
        } catch (NumberFormatException e) {
            throw ApiException.parameter(name + " is invalid");
        }
    }

    public boolean has(String name) {
        return parsed().containsKey(name);
    }

    /** A list, given as an array or with commas. */
    public List<String> list(String name) {
        Object value = parsed().get(name);
        List<String> values = new ArrayList<>();
        if (value instanceof List<?> list) {
            list.forEach(one -> values.add(String.valueOf(one)));
        } else if (value != null) {
            for (String one : String.valueOf(value).split(",", -1)) {
                values.add(one.strip());
            }
        }
        values.removeIf(String::isEmpty);
        return values;
    }

    /** A list of objects, as JSON has them. */
    public List<Map<?, ?>> objects(String name) {
        List<Map<?, ?>> result = new ArrayList<>();
        if (parsed().get(name) instanceof List<?> list) {
            for (Object one : list) {
                if (one instanceof Map<?, ?> map) {
                    result.add(map);
                }
            }
        }
        return result;
    }

    private Map<String, Object> parsed() {
        if (parameters == null) {
            throw new IllegalStateException("parameters() was not called for " + method() + " " + rawPath());
        }
        return parameters;
    }

    private byte[] readLimited() throws IOException {
        byte[] bytes = body().readNBytes(PARAMETER_LIMIT + 1);
        if (bytes.length > PARAMETER_LIMIT) {
            throw new ApiException(413, "413 Request Entity Too Large");
        }
        return bytes;
    }

    private static void addForm(Map<String, Object> all, String form) {
        for (String pair : form.split("&", -1)) {
            if (pair.isEmpty()) {
                continue;
            }
            int equals = pair.indexOf('=');
            String name = decode(equals < 0 ? pair : pair.substring(0, equals));
            String value = equals < 0 ? "" : decode(pair.substring(equals + 1));
            if (name.endsWith("[]")) {
                addToList(all, name.substring(0, name.length() - 2), value);
            } else {
                all.put(name, value);
            }
        }
    }

    private static void addToList(Map<String, Object> all, String name, String value) {
        List<Object> list = new ArrayList<>();
        if (all.get(name) instanceof List<?> before) {
            list.addAll(before);
        }
        list.add(value);
        all.put(name, list);
    }

    private static String decode(String text) {
        try {
            return URLDecoder.decode(text, StandardCharsets.UTF_8);
        } catch (IllegalArgumentException e) {
            throw new ApiException(400, "400 Bad Request");
        }
    }
}
