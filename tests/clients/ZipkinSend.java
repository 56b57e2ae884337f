import java.util.concurrent.TimeUnit;
import zipkin2.Endpoint;
import zipkin2.Span;
import zipkin2.codec.SpanBytesEncoder;
import zipkin2.reporter.AsyncReporter;
import zipkin2.reporter.BytesEncoder;
import zipkin2.reporter.Encoding;
import zipkin2.reporter.okhttp3.OkHttpSender;

/** Reports numbered spans with Zipkin's reporter for Java. Arguments: URL, key, encoding, number. */
public class ZipkinSend {
  public static void main(String[] arguments) throws Exception {
    String url = arguments[0];
    String key = arguments[1];
    boolean proto = arguments[2].equals("PROTO3");
    int spans = Integer.parseInt(arguments[3]);
    SpanBytesEncoder encoder = proto ? SpanBytesEncoder.PROTO3 : SpanBytesEncoder.JSON_V2;
    OkHttpSender.Builder builder =
        OkHttpSender.newBuilder().endpoint(url).encoding(proto ? Encoding.PROTO3 : Encoding.JSON);
    builder
        .clientBuilder()
        .addInterceptor(
            chain ->
                chain.proceed(
                    chain.request().newBuilder().addHeader("X-Honeycomb-Team", key).build()));
    BytesEncoder<Span> bytes =
        new BytesEncoder<Span>() {
          @Override public Encoding encoding() {
            return proto ? Encoding.PROTO3 : Encoding.JSON;
          }

          @Override public int sizeInBytes(Span span) {
            return encoder.sizeInBytes(span);
          }

          @Override public byte[] encode(Span span) {
            return encoder.encode(span);
          }
        };
    OkHttpSender sender = builder.build();
    AsyncReporter<Span> reporter = AsyncReporter.builder(sender).build(bytes);
    for (int n = 1; n <= spans; n++) {
      reporter.report(
          Span.newBuilder()
              .traceId(0L, n)
              .id(n)
              .name("work")
              .kind(Span.Kind.PRODUCER)
              .timestamp(1795248341123456L + n)
              .duration(n)
              .localEndpoint(Endpoint.newBuilder().serviceName("java").ip("10.0.0.7").port(80).build())
              .remoteEndpoint(Endpoint.newBuilder().serviceName("queue").ip("2001:db8::1").build())
              .addAnnotation(1795248341123456L + n, "sent")
              .putTag("n", String.valueOf(n))
              .build());
      if (n % 500 == 0) reporter.flush();
    }
    reporter.flush();
    reporter.close();
    sender.close();
  }
}
