package dev.mayfly.api.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import java.io.PrintStream;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import net.sourceforge.argparse4j.impl.Arguments;
import net.sourceforge.argparse4j.inf.Namespace;
import net.sourceforge.argparse4j.inf.Subparser;

/** {@code mayfly hosts}: the hosts, how they stand and what is free on them; and orders to one of them. */
public final class HostsCommand extends ClientCommand {

    private static final String PATH = "/api/v1/hosts";
    private static final Duration LOOK_EVERY = Duration.ofSeconds(2);

    private final PrintStream out;

    public HostsCommand(PrintStream out) {
        super("hosts", "List hosts, how they stand and what is free on them; drain, label, reboot or forget one.", out);
        this.out = out;
    }

    @Override
    public void configure(Subparser subparser) {
        subparser
                .addArgument("action")
                .nargs("?")
                .setDefault("list")
                .choices("list", "show", "drain", "undrain", "reboot-when-empty", "label", "unlabel", "forget")
                .help("list all (default); show one; drain: no new VMs there, those that run go on; undrain; "
                        + "reboot-when-empty: drain it, reboot it once nothing is left, then undrain it; "
                        + "label and unlabel: jobs that ask for the label by their tags run on hosts that have it; "
                        + "forget: one that is LOST and won't come back");
        subparser.addArgument("host").nargs("?").help("the host; needed for all but list");
        subparser.addArgument("label").nargs("*").help("with label and unlabel: the labels, such as gpu");
        subparser
                .addArgument("--wait")
                .action(Arguments.storeTrue())
                .help("with drain: return once no VM is left there; prints what is still there");
        super.configure(subparser);
    }

    @Override
    JsonNode ask(ApiClient api, Namespace arguments) {
        String action = arguments.getString("action");
        String host = arguments.getString("host");
        boolean wait = arguments.getBoolean("wait");
        if (wait && !action.equals("drain")) {
            throw new UserError("--wait goes with drain only");
        }
        if (action.equals("list")) {
            return api.get(PATH);
        }
        if (host == null) {
            throw new UserError("hosts %s needs a host; 'mayfly hosts' lists them".formatted(action));
        }
        List<String> labels = arguments.getList("label");
        if (action.endsWith("label") == labels.isEmpty()) {
            throw new UserError(
                    labels.isEmpty()
                            ? "hosts %s needs labels, such as gpu".formatted(action)
                            : "hosts %s takes no labels: %s".formatted(action, labels));
        }
        String path = PATH + "/" + ApiClient.encode(host);
        return switch (action) {
            case "show" -> api.get(path);
            case "label" -> each(labels, label -> api.put(path + "/labels/" + ApiClient.encode(label)));
            case "unlabel" -> each(labels, label -> api.delete(path + "/labels/" + ApiClient.encode(label)));
            case "forget" -> {
                api.delete(path);
                yield JsonNodeFactory.instance.objectNode().put("forgotten", host);
            }
            default -> {
                JsonNode told = api.post(path + "/" + action);
                yield wait ? awaitEmpty(api, path, told) : told;
            }
        };
    }

    /** One call for each label; the last answer. */
    private static JsonNode each(List<String> labels, Function<String, JsonNode> call) {
        return labels.stream().map(call).reduce((before, last) -> last).orElseThrow();
    }

    private static String labels(JsonNode host) {
        List<String> labels = new ArrayList<>();
        host.path("labels").forEach(label -> labels.add(label.asText()));
        return labels.isEmpty() ? "-" : String.join(" ", labels);
    }

    private JsonNode awaitEmpty(ApiClient api, String path, JsonNode told) {
        JsonNode host = told;
        int before = -1;
        while (!host.path("drained").asBoolean()) {
            int vms = host.path("inventory").size();
            if (vms != before) {
                out.println("%s: %d VMs are still there"
                        .formatted(host.path("hostId").asText(), vms));
                out.flush();
                before = vms;
            }
            try {
                Thread.sleep(LOOK_EVERY.toMillis());
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new UserError("interrupted; the host stays drained");
            }
            host = api.get(path);
            if (host.path("drainingSince").isNull()
                    || host.path("state").asText().equals("LOST")) {
                throw new UserError("%s is %s now; nothing drains any more"
                        .formatted(
                                host.path("hostId").asText(), host.path("state").asText()));
            }
        }
        return host;
    }

    @Override
    void show(JsonNode answer, PrintStream to) {
        if (answer.has("items")) {
            list(answer, to);
        } else if (answer.has("forgotten")) {
            to.println(answer.path("forgotten").asText() + " is forgotten");
        } else {
            one(answer, to);
        }
    }

    private static void list(JsonNode answer, PrintStream to) {
        Table table = new Table("HOST", "STATE", "CAPACITY", "USED", "VMS", "ARCH", "DRIVER", "AGENT", "NOTE");
        for (JsonNode host : answer.path("items")) {
            table.add(
                    host.path("hostId").asText(),
                    host.path("state").asText(),
                    Table.size(host.path("capacity")),
                    Table.size(host.path("used")),
                    String.valueOf(host.path("inventory").size()),
                    host.path("arch").asText(),
                    host.path("driver").asText(),
                    host.path("agentVersion").asText(),
                    note(host));
        }
        table.print(to);
    }

    private static String note(JsonNode host) {
        if (!host.path("problems").isEmpty()) {
            return host.path("problems").get(0).asText();
        }
        if (host.path("rebootsWhenEmpty").asBoolean()) {
            return "reboots when empty";
        }
        return host.path("drained").asBoolean() ? "drained: nothing is left on it" : "";
    }

    private static void one(JsonNode host, PrintStream to) {
        Map<String, String> lines = new LinkedHashMap<>();
        lines.put("host", host.path("hostId").asText());
        lines.put("state", host.path("state").asText());
        lines.put("capacity", Table.size(host.path("capacity")));
        lines.put("used", Table.size(host.path("used")));
        lines.put("arch", host.path("arch").asText());
        lines.put("labels", labels(host));
        lines.put("driver", host.path("driver").asText());
        lines.put("agent", host.path("agentVersion").asText());
        lines.put("epoch", host.path("epoch").asText());
        lines.put("since", host.path("registeredAt").asText());
        lines.put("renewed", host.path("renewedAt").asText());
        lines.put("draining", Table.text(host.path("drainingSince")));
        lines.put("note", note(host).isEmpty() ? "-" : note(host));
        Table.print(lines, to);
        for (JsonNode vm : host.path("inventory")) {
            to.println("VM         %s: %s%s"
                    .formatted(
                            vm.path("slotId").asText(),
                            vm.path("state").asText(),
                            vm.path("claimedJobId").isNull()
                                    ? ""
                                    : ", job " + vm.path("claimedJobId").asText()));
        }
    }
}
