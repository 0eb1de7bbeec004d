/**
 * The property test of the exchange: random fleets, claims, faults and crashes around the real transactions. {@code
 * ModelCapacity} says what PostgreSQL must say; {@code World} is what GitLab, hosts and workflows make of it, and checks
 * what must hold for a job, whatever PostgreSQL says.
 */
@NullMarked
package dev.mayfly.activities.capacity.exchange;

import org.jspecify.annotations.NullMarked;
