package dev.mayfly.demo;

import static com.tngtech.archunit.core.domain.JavaCall.Predicates.target;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.type;
import static com.tngtech.archunit.core.domain.properties.HasName.Predicates.nameStartingWith;
import static com.tngtech.archunit.core.domain.properties.HasOwner.Predicates.With.owner;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import java.time.Duration;
import org.junit.jupiter.api.Test;

/** The dependency law, and what workflow code may call: a replay must take the same way again. */
final class ArchitectureTest {

    private static final JavaClasses OURS = new ClassFileImporter()
            .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
            .importPackages("dev.mayfly");

    @Test
    void workflowsDependOnNothingOfOurs() {
        noClasses()
                .that()
                .resideInAPackage("dev.mayfly.workflows..")
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage(
                        "dev.mayfly.activities..",
                        "dev.mayfly.api..",
                        "dev.mayfly.agent..",
                        "dev.mayfly.testkit..",
                        "dev.mayfly.demo..")
                .check(OURS);
    }

    @Test
    void theAgentNeverSeesADatabaseDriverOrTheControlPlane() {
        noClasses()
                .that()
                .resideInAPackage("dev.mayfly.agent..")
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage(
                        "dev.mayfly.activities..",
                        "dev.mayfly.api..",
                        "dev.mayfly.testkit..",
                        "java.sql..",
                        "org.jdbi..",
                        "org.postgresql..",
                        "org.gitlab4j..",
                        "io.dropwizard..")
                .check(OURS);
    }

    @Test
    void theControlPlaneNeverSeesAVmDriver() {
        noClasses()
                .that()
                .resideInAnyPackage("dev.mayfly.activities..", "dev.mayfly.api..")
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage("dev.mayfly.agent..", "dev.mayfly.testkit..")
                .check(OURS);
    }

    @Test
    void activitiesNeverSeeTheHttpSide() {
        noClasses()
                .that()
                .resideInAPackage("dev.mayfly.activities..")
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage("dev.mayfly.api..", "io.dropwizard..")
                .check(OURS);
    }

    @Test
    void theSimulatedGitLabKnowsOnlyTheContract() {
        noClasses()
                .that()
                .resideInAPackage("dev.mayfly.testkit..")
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage("dev.mayfly.activities..", "dev.mayfly.api..", "dev.mayfly.agent..")
                .check(OURS);
    }

    @Test
    void workflowCodeCallsNothingThatAReplayWouldSeeDifferently() {
        noClasses()
                .that()
                .resideInAPackage("dev.mayfly.workflows")
                .should()
                .callMethod(java.time.Instant.class, "now")
                .orShould()
                .callMethod(java.time.OffsetDateTime.class, "now")
                .orShould()
                .callMethod(System.class, "currentTimeMillis")
                .orShould()
                .callMethod(System.class, "nanoTime")
                .orShould()
                .callMethod(System.class, "getenv", String.class)
                .orShould()
                .callMethod(java.util.UUID.class, "randomUUID")
                .orShould()
                .callMethod(Math.class, "random")
                .orShould()
                .callMethod(Thread.class, "sleep", long.class)
                .orShould()
                .dependOnClassesThat()
                .resideInAnyPackage(
                        "java.io..",
                        "java.net..",
                        "java.nio.channels..",
                        "java.nio.file..",
                        "java.sql..",
                        "java.util.concurrent..")
                .orShould()
                .dependOnClassesThat()
                .areAssignableTo(java.util.Random.class)
                .check(OURS);
    }

    @Test
    void everyTimeOutOfAJobsLifeStandsInOneFile() {
        noClasses()
                .that()
                .resideInAPackage("dev.mayfly.workflows")
                .and()
                .doNotHaveSimpleName("Timeouts")
                .should()
                .callMethodWhere(target(nameStartingWith("of")).and(target(owner(type(Duration.class)))))
                .check(OURS);
    }

    @Test
    void onlyOneClassOfTheAgentStartsProcesses() {
        noClasses()
                .that()
                .resideInAPackage("dev.mayfly.agent..")
                .and()
                .resideOutsideOfPackage("dev.mayfly.agent.process..")
                .should()
                .dependOnClassesThat()
                .areAssignableTo(ProcessBuilder.class)
                .check(OURS);
    }

    @Test
    void everyPackageBelongsToOneModule() {
        classes()
                .that()
                .resideInAPackage("dev.mayfly..")
                .should()
                .resideInAnyPackage(
                        "dev.mayfly.workflows..",
                        "dev.mayfly.activities..",
                        "dev.mayfly.api..",
                        "dev.mayfly.agent..",
                        "dev.mayfly.testkit..",
                        "dev.mayfly.demo..")
                .check(OURS);
    }
}
