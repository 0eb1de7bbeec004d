package dev.mayfly.workflows.log;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.classic.util.LogbackMDCAdapter;
import ch.qos.logback.core.read.ListAppender;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.mayfly.workflows.job.JobKey;
import java.time.Instant;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Whatever a line names is a field of it. */
class JsonLinesTest {

    private static final JobKey JOB = new JobKey("main", 7, 55);

    private final LoggerContext context = new LoggerContext();
    private final ListAppender<ILoggingEvent> events = new ListAppender<>();
    private final LogbackMDCAdapter mdc = new LogbackMDCAdapter();
    private final JsonLines lines = new JsonLines();
    private final Logger log = context.getLogger("dev.mayfly.Some");

    @BeforeEach
    void begin() {
        context.setMDCAdapter(mdc);
        events.setContext(context);
        events.start();
        log.addAppender(events);
        lines.setContext(context);
        lines.start();
    }

    @AfterEach
    void end() {
        mdc.clear();
    }

    @Test
    void eachLineSaysWhenWhereHowBadAndWhat() throws Exception {
        log.warn("it is {}", 5);
        JsonNode line = last();
        assertThat(Instant.parse(line.path("timestamp").asText()))
                .isEqualTo(events.list.get(0).getInstant());
        assertThat(line.path("level").asText()).isEqualTo(Level.WARN.toString());
        assertThat(line.path("logger").asText()).isEqualTo("dev.mayfly.Some");
        assertThat(line.path("message").asText()).isEqualTo("it is 5");
        assertThat(line.size()).isEqualTo(4);
    }

    @Test
    void whatTheMessageNamesIsAField() throws Exception {
        log.info("{} holds new slot {} on host {}", JOB, "9mnck-8", "host-1");
        JsonNode line = last();
        assertThat(line.path("message").asText()).isEqualTo("gitlab:main:7:55 holds new slot 9mnck-8 on host host-1");
        assertThat(line.path("job").asText()).isEqualTo("gitlab:main:7:55");
        assertThat(line.path("vm").asText()).isEqualTo("9mnck-8");
        assertThat(line.path("host").asText()).isEqualTo("host-1");
    }

    @Test
    void placeholdersAreCountedFromTheFirstNamedOrNot() throws Exception {
        log.info("{}: after {} tries slot {} of job {}", "x", 3, "9mnck-8", JOB.toString());
        JsonNode line = last();
        assertThat(line.path("vm").asText()).isEqualTo("9mnck-8");
        assertThat(line.path("job").asText()).isEqualTo(JOB.toString());
    }

    @Test
    void theFirstThatIsNamedCounts() throws Exception {
        log.info("slot {} goes, slot {} comes", "9mnck-8", "9mnck-9");
        assertThat(last().path("vm").asText()).isEqualTo("9mnck-8");
    }

    @Test
    void nothingIsTakenOutOfTheText() throws Exception {
        log.info("the guest says: {}", "slot 9mnck-8 of job gitlab:main:1:1 on host host-1");
        assertThat(last().has("vm") || last().has("job") || last().has("host")).isFalse();
    }

    @Test
    void whatAWorkflowOrActivityLogsIsOfItsJob() throws Exception {
        mdc.put("WorkflowId", JOB.workflowId());
        log.info("slot {} is released", "9mnck-8");
        assertThat(last().path("job").asText()).isEqualTo(JOB.toString());
    }

    @Test
    void otherWorkflowsAreNoJobs() throws Exception {
        mdc.put("WorkflowId", "dismantle:9mnck-8");
        log.info("slot {} is released", "9mnck-8");
        assertThat(last().has("job")).isFalse();
    }

    @Test
    void anAgentsLinesAreOfItsHost() throws Exception {
        context.putProperty("host", "host-1");
        log.info("the control plane answers again");
        assertThat(last().path("host").asText()).isEqualTo("host-1");
    }

    @Test
    void anExceptionIsAFieldAndTheLineStaysOne() throws Exception {
        log.error("slot {}: \"quoted\"\nand broken", "9mnck-8", new IllegalStateException("why", new Error("root")));
        String text = lines.doLayout(events.list.get(0));
        assertThat(text.strip().lines()).hasSize(1);
        assertThat(text).endsWith("\n");
        assertThat(last().path("vm").asText()).isEqualTo("9mnck-8");
        assertThat(last().path("exception").asText()).contains("Error: root", "IllegalStateException: why");
    }

    private JsonNode last() throws Exception {
        return new ObjectMapper().readTree(lines.doLayout(events.list.get(events.list.size() - 1)));
    }
}
