package dev.mayfly.workflows;

import dev.mayfly.workflows.job.CiJob;
import io.temporal.common.SearchAttributeKey;
import java.time.OffsetDateTime;
import java.util.List;

/**
 * What Temporal's UI can search jobs by. PostgreSQL visibility has ten Keyword and three Int, Datetime and Bool columns
 * per namespace, so each stands for something that people look for. Never a secret: search attributes are stored in the clear.
 */
public final class SearchAttributes {

    public static final SearchAttributeKey<String> INSTANCE = SearchAttributeKey.forKeyword("CiInstance");
    public static final SearchAttributeKey<String> PROJECT = SearchAttributeKey.forKeyword("CiProject");
    public static final SearchAttributeKey<String> PIPELINE = SearchAttributeKey.forKeyword("CiPipelineId");
    public static final SearchAttributeKey<String> JOB_NAME = SearchAttributeKey.forKeyword("CiJobName");
    public static final SearchAttributeKey<String> REF = SearchAttributeKey.forKeyword("CiRef");
    public static final SearchAttributeKey<String> HOST = SearchAttributeKey.forKeyword("CiHost");
    public static final SearchAttributeKey<String> PHASE = SearchAttributeKey.forKeyword("CiPhase");
    public static final SearchAttributeKey<String> OUTCOME = SearchAttributeKey.forKeyword("CiOutcome");
    public static final SearchAttributeKey<String> USER = SearchAttributeKey.forKeyword("CiUser");
    public static final SearchAttributeKey<Long> VCPUS = SearchAttributeKey.forLong("CiVcpus");
    public static final SearchAttributeKey<Long> MEMORY_MIB = SearchAttributeKey.forLong("CiMemMb");
    public static final SearchAttributeKey<Long> QUEUE_MILLIS = SearchAttributeKey.forLong("CiQueueMs");
    public static final SearchAttributeKey<OffsetDateTime> QUEUED_AT =
            SearchAttributeKey.forOffsetDateTime("CiQueuedAt");
    public static final SearchAttributeKey<OffsetDateTime> STARTED_AT =
            SearchAttributeKey.forOffsetDateTime("CiStartedAt");
    public static final SearchAttributeKey<OffsetDateTime> FINISHED_AT =
            SearchAttributeKey.forOffsetDateTime("CiFinishedAt");
    public static final SearchAttributeKey<Boolean> HOST_LOST = SearchAttributeKey.forBoolean("CiHostLost");
    public static final SearchAttributeKey<Boolean> NEEDS_ATTENTION = SearchAttributeKey.forBoolean("CiNeedsAttention");
    public static final SearchAttributeKey<List<String>> TAGS = SearchAttributeKey.forKeywordList("CiTags");

    /** All of them, to be registered when the control plane starts. */
    public static final List<SearchAttributeKey<?>> ALL = List.of(
            INSTANCE,
            PROJECT,
            PIPELINE,
            JOB_NAME,
            REF,
            HOST,
            PHASE,
            OUTCOME,
            USER,
            VCPUS,
            MEMORY_MIB,
            QUEUE_MILLIS,
            QUEUED_AT,
            STARTED_AT,
            FINISHED_AT,
            HOST_LOST,
            NEEDS_ATTENTION,
            TAGS);

    /** Width of a Keyword column in PostgreSQL visibility; a longer value would refuse the whole start. */
    private static final int KEYWORD_CHARS = 255;

    private SearchAttributes() {}

    /** What is known of a job when its workflow starts. */
    public static io.temporal.common.SearchAttributes of(CiJob job, OffsetDateTime queuedAt) {
        var attributes = io.temporal.common.SearchAttributes.newBuilder()
                .set(INSTANCE, job.key().instance())
                .set(PROJECT, cut(job.projectPath()))
                .set(PIPELINE, Long.toString(job.pipelineId()))
                .set(JOB_NAME, cut(job.name()))
                .set(REF, cut(job.ref()))
                .set(USER, cut(job.user()))
                .set(QUEUED_AT, queuedAt)
                .set(TAGS, job.tags().stream().map(SearchAttributes::cut).toList());
        if (job.size() != null) {
            attributes.set(VCPUS, (long) job.size().vcpus()).set(MEMORY_MIB, (long)
                    job.size().memoryMib());
        }
        return attributes.build();
    }

    private static String cut(String text) {
        return text.length() <= KEYWORD_CHARS ? text : text.substring(0, KEYWORD_CHARS);
    }
}
