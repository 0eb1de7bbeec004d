package dev.mayfly.activities.capacity;

import static dev.mayfly.activities.capacity.Fleet.SMALL;
import static dev.mayfly.activities.capacity.Fleet.job;

import dev.mayfly.testkit.PostgresExtension;
import dev.mayfly.workflows.job.CiJob;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.extension.RegisterExtension;

/** A control plane's data access on PostgreSQL, empty before each test. */
public abstract class WithFleet {

    @RegisterExtension
    protected static final PostgresExtension postgres = new PostgresExtension();

    protected static Fleet fleet;

    protected final CiJob ten = job(10, SMALL);
    protected final CiJob eleven = job(11, SMALL);

    @BeforeAll
    static void open() {
        fleet = new Fleet(postgres);
    }

    @AfterAll
    static void close() {
        fleet.close();
    }

    @BeforeEach
    void empty() {
        fleet.empty();
    }
}
