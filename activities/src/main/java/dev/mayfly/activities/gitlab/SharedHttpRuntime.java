package dev.mayfly.activities.gitlab;

import jakarta.ws.rs.client.Client;
import jakarta.ws.rs.client.WebTarget;
import java.lang.reflect.Field;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.util.Objects;
import org.gitlab4j.api.GitLabApi;
import org.gitlab4j.api.GitLabApiClient;
import org.glassfish.jersey.client.ClientProperties;

/**
 * Has all requests of a gitlab4j client use one HTTP runtime. gitlab4j sets a property on the target of each request
 * ({@code followRedirects}, always the same), and Jersey gives a target that differs from its client a runtime of its own:
 * container of injections, providers, connector; that was 10 of 12 ms of CPU for a request. Here the property is set
 * on the client, and targets let it be where it is set to the same already. gitlab4j has no hook for this, so its fields
 * are reached by reflection; {@code SharedHttpRuntimeTest} tells if a newer gitlab4j is built otherwise.
 */
final class SharedHttpRuntime {

    private SharedHttpRuntime() {}

    /** Before the first request. */
    static void install(GitLabApi api) {
        try {
            Object gitlab = field(GitLabApi.class, "apiClient").get(api);
            Method create = GitLabApiClient.class.getDeclaredMethod("createApiClient");
            create.setAccessible(true);
            Client http = (Client) create.invoke(gitlab);
            http.property(ClientProperties.FOLLOW_REDIRECTS, true);
            field(GitLabApiClient.class, "apiClient").set(gitlab, lettingBe(http, Client.class, http));
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException("this gitlab4j keeps its HTTP client elsewhere", e);
        }
    }

    private static Field field(Class<?> of, String name) throws NoSuchFieldException {
        Field field = of.getDeclaredField(name);
        field.setAccessible(true);
        return field;
    }

    /** {@code real}, whose targets, and theirs, don't set a property to what the client has. */
    private static <T> T lettingBe(T real, Class<T> type, Client client) {
        return type.cast(Proxy.newProxyInstance(
                SharedHttpRuntime.class.getClassLoader(), new Class<?>[] {type}, (proxy, method, arguments) -> {
                    if (type == WebTarget.class && method.getName().equals("property") && isSet(client, arguments)) {
                        return proxy;
                    }
                    try {
                        Object result = method.invoke(real, arguments);
                        return result instanceof WebTarget target ? lettingBe(target, WebTarget.class, client) : result;
                    } catch (InvocationTargetException e) {
                        throw e.getCause();
                    }
                }));
    }

    private static boolean isSet(Client client, Object[] nameAndValue) {
        return Objects.equals(nameAndValue[1], client.getConfiguration().getProperty((String) nameAndValue[0]));
    }
}
