package dev.mayfly.testkit.gitlab.page;

import dev.mayfly.testkit.gitlab.model.CiStatus;

/** What all pages have around them. */
final class Frame {
    static final String END = "</main></body></html>";

    private static final String STYLE = """
            body{font:15px/1.5 system-ui,sans-serif;margin:0;color:#28272d;background:#fff}
            header{background:#28272d;color:#fff;padding:8px 24px;font-weight:600}
            header a{color:#fff}
            main{max-width:1200px;margin:0 auto;padding:16px 24px}
            a{color:#1068bf;text-decoration:none}
            h1{font-size:21px;margin:8px 0}h2{font-size:15px;margin:0 0 8px}
            table{border-collapse:collapse;width:100%}
            th,td{text-align:left;padding:8px;border-bottom:1px solid #dcdcde}
            .stages{display:flex;gap:16px;flex-wrap:wrap}
            .stage{background:#f5f5f7;padding:12px;border-radius:6px;min-width:240px;flex:1}
            .job{background:#fff;border:1px solid #dcdcde;border-radius:6px;padding:8px;margin-bottom:8px}
            .retried{opacity:.55}
            .small{font-size:13px;color:#626168}
            .error{background:#fcf1ef;padding:8px}
            .status{display:inline-block;border-radius:10px;padding:0 10px;font-size:13px;background:#ececef;color:#28272d}
            .success{background:#c3e6cd;color:#24663b}.failed{background:#fdd4cd;color:#8d1300}
            .running{background:#cbe2f9;color:#0b5cad}.pending,.canceling{background:#f5d9a8;color:#703800}
            pre{background:#1f1e24;color:#ececef;padding:12px;border-radius:6px;white-space:pre-wrap;overflow-wrap:anywhere;font-size:13px}
            .red{color:#ff8a80}.green{color:#8fd694}.yellow{color:#e9d36b}.blue{color:#8ec7ff}
            """;

    private final String title;
    private final Html html = new Html();
    private boolean refresh;

    Frame(String title) {
        this.title = title;
    }

    Html html() {
        return html;
    }

    /** Looks again every two seconds for as long as something may still change. */
    void refreshUnless(boolean ended) {
        refresh = !ended;
    }

    void crumbs(String... addressesAndNames) {
        html.open("p", "class", "small");
        for (int i = 0; i < addressesAndNames.length; i += 2) {
            html.text(i == 0 ? "" : " / ").link(addressesAndNames[i], addressesAndNames[i + 1]);
        }
        html.close("p");
    }

    void row(String cell, String... texts) {
        html.open("tr");
        for (String text : texts) {
            html.element(cell, text);
        }
        html.close("tr");
    }

    void status(CiStatus status, String address) {
        html.element("a", status.text(), "href", address, "class", "status " + status.text());
    }

    /** The page up to here; {@link #END} ends it. */
    String begun() {
        Html head = new Html();
        head.open("html", "lang", "en").open("head").open("meta", "charset", "utf-8");
        if (refresh) {
            head.open("meta", "http-equiv", "refresh", "content", "2");
        }
        head.element("title", title + " · Simulated GitLab");
        // The one text that is not escaped: its own.
        head.open("style");
        Html body = new Html();
        body.close("style")
                .close("head")
                .open("body")
                .open("header")
                .link("/", "Simulated GitLab")
                .close("header");
        body.open("main");
        return "<!doctype html>" + head + STYLE + body + html;
    }

    String end() {
        return begun() + END;
    }
}
