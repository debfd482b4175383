import okhttp3.*;
import java.io.IOException;

/** Prints the credit balance of an API key: Balance [URL [KEY]] */
public class Balance {
    public static void main(String[] args) {
        String base = setting(args, 0, "COFFER_URL", "http://127.0.0.1:8080");
        String key = setting(args, 1, "COFFER_API_KEY", "");
        if (!key.matches("[!-~]+")) {
            System.err.println("No usable API key: give it as second argument or in COFFER_API_KEY.");
            System.exit(2);
        }

        try {
            OkHttpClient client = new OkHttpClient();
            Request request = new Request.Builder()
                .url(base.replaceAll("/+$", "") + "/api/unwatermark/api/v1/get-credits-balance")
                .post(RequestBody.create(null, new byte[0]))
                .addHeader("ZF-API-KEY", key)
                .build();
            try (Response response = client.newCall(request).execute()) {
                System.out.println(response.body().string());
            }
        } catch (IOException | IllegalArgumentException e) {
            System.err.println("Request failed: " + e.getMessage());
            System.exit(1);
        }
    }

    private static String setting(String[] args, int index, String variable, String fallback) {
        if (args.length > index) return args[index];
        String value = System.getenv(variable);
        return value == null || value.isEmpty() ? fallback : value;
    }
}
