package dev.mayfly.api.temporal;

import dev.mayfly.workflows.SearchAttributes;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.temporal.api.enums.v1.IndexedValueType;
import io.temporal.api.operatorservice.v1.AddSearchAttributesRequest;
import io.temporal.api.operatorservice.v1.ListSearchAttributesRequest;
import io.temporal.common.SearchAttributeKey;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Ensures that Temporal's namespace knows our search attributes; without them no workflow could start. */
public final class SearchAttributeRegistration {

    private static final Logger LOG = LoggerFactory.getLogger(SearchAttributeRegistration.class);

    private final TemporalConnection temporal;

    public SearchAttributeRegistration(TemporalConnection temporal) {
        this.temporal = temporal;
    }

    /** Adds what is missing; several control planes may do so at once. */
    public void ensure() {
        Map<String, IndexedValueType> missing = new TreeMap<>();
        for (SearchAttributeKey<?> key : SearchAttributes.ALL) {
            missing.put(key.getName(), key.getValueType());
        }
        missing.keySet().removeAll(known());
        missing.forEach(this::add);
        if (!missing.isEmpty()) {
            LOG.info("registered search attributes {} in namespace {}", missing.keySet(), temporal.namespace());
        }
    }

    private void add(String name, IndexedValueType type) {
        try {
            temporal.operator()
                    .blockingStub()
                    .addSearchAttributes(AddSearchAttributesRequest.newBuilder()
                            .setNamespace(temporal.namespace())
                            .putSearchAttributes(name, type)
                            .build());
        } catch (StatusRuntimeException e) {
            if (e.getStatus().getCode() != Status.Code.ALREADY_EXISTS) {
                throw e;
            }
        }
    }

    private Set<String> known() {
        try {
            return temporal.operator()
                    .blockingStub()
                    .listSearchAttributes(ListSearchAttributesRequest.newBuilder()
                            .setNamespace(temporal.namespace())
                            .build())
                    .getCustomAttributesMap()
                    .keySet();
        } catch (StatusRuntimeException e) {
            if (e.getStatus().getCode() == Status.Code.UNIMPLEMENTED) {
                return Set.of();
            }
            throw e;
        }
    }
}
