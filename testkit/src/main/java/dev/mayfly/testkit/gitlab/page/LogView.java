package dev.mayfly.testkit.gitlab.page;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The end of a job's log as HTML: sections' marks left out, colours as classes, everything else as text. */
final class LogView {
    /** More than this is not shown: the raw log has all of it. */
    static final int SHOWN_BYTES = 512 << 10;

    private static final Pattern SECTION = Pattern.compile("section_(?:start|end):\\d+:[^\\r\\n]*?\\r\\x1b\\[0K");
    private static final Pattern ESCAPE = Pattern.compile("\\x1b\\[([0-9;]*)([A-Za-z])");

    private LogView() {}

    /** The last part of a log file, empty if there is none yet. */
    static String tail(Path log) throws IOException {
        if (!Files.exists(log)) {
            return "";
        }
        try (InputStream in = Files.newInputStream(log)) {
            in.skipNBytes(Math.max(0, Files.size(log) - SHOWN_BYTES));
            return new String(in.readNBytes(SHOWN_BYTES), StandardCharsets.UTF_8);
        }
    }

    static void write(String log, Html html) {
        String text = SECTION.matcher(log).replaceAll("");
        Matcher escape = ESCAPE.matcher(text);
        String style = "";
        int at = 0;
        while (escape.find()) {
            span(html, style, text.substring(at, escape.start()));
            at = escape.end();
            if (escape.group(2).equals("m")) {
                style = style(style, escape.group(1));
            }
        }
        span(html, style, text.substring(at));
    }

    private static void span(Html html, String style, String raw) {
        String text = raw.replace("\r\n", "\n").replace("\r", "");
        if (text.isEmpty()) {
            return;
        }
        if (style.isEmpty()) {
            html.text(text);
        } else {
            html.element("span", text, "class", style);
        }
    }

    private static String style(String before, String codes) {
        String style = before;
        for (String code : codes.split(";", -1)) {
            style = switch (code) {
                case "31" -> "red";
                case "32" -> "green";
                case "33" -> "yellow";
                case "34", "36" -> "blue";
                case "", "0" -> "";
                default -> style;
            };
        }
        return style;
    }
}
