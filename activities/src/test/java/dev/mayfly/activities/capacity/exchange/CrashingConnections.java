package dev.mayfly.activities.capacity.exchange;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.sql.Connection;
import java.sql.SQLException;
import org.jdbi.v3.core.ConnectionFactory;

/** One connection for all, whose next commit can be made to fail as if the control plane had died at that moment. */
final class CrashingConnections implements ConnectionFactory, AutoCloseable {

    static final String MESSAGE = "the control plane died";

    /** When it dies. */
    enum Crash {
        NEVER,
        /** Nothing of the transaction is kept. */
        BEFORE_COMMIT,
        /** All of it is kept, but nobody hears the answer. */
        AFTER_COMMIT
    }

    private final Connection real;
    private final Connection shared;
    private Crash next = Crash.NEVER;

    CrashingConnections(Connection real) {
        this.real = real;
        this.shared = (Connection) Proxy.newProxyInstance(
                Connection.class.getClassLoader(), new Class<?>[] {Connection.class}, (proxy, method, arguments) -> {
                    if (method.getName().equals("commit") && next != Crash.NEVER) {
                        crash();
                    }
                    try {
                        return method.invoke(real, arguments);
                    } catch (InvocationTargetException failure) {
                        throw failure.getTargetException();
                    }
                });
    }

    void atNextCommit(Crash crash) {
        next = crash;
    }

    private void crash() throws SQLException {
        if (next == Crash.AFTER_COMMIT) {
            real.commit();
        } else {
            real.rollback();
        }
        next = Crash.NEVER;
        throw new SQLException(MESSAGE);
    }

    @Override
    public Connection openConnection() {
        return shared;
    }

    @Override
    public void closeConnection(Connection connection) {
        // stays open for the next one
    }

    @Override
    public void close() throws SQLException {
        real.close();
    }
}
