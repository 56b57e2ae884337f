// A Collector with what the tests and the benchmark need of its distribution, unmodified.
package main

import (
	"log"

	"github.com/open-telemetry/opentelemetry-collector-contrib/exporter/fileexporter"
	"github.com/open-telemetry/opentelemetry-collector-contrib/extension/storage/filestorage"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/confmap/provider/fileprovider"
	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/collector/exporter/otlpexporter"
	"go.opentelemetry.io/collector/exporter/otlphttpexporter"
	"go.opentelemetry.io/collector/extension"
	"go.opentelemetry.io/collector/otelcol"
	"go.opentelemetry.io/collector/processor"
	"go.opentelemetry.io/collector/processor/batchprocessor"
	"go.opentelemetry.io/collector/receiver"
	"go.opentelemetry.io/collector/receiver/otlpreceiver"
	"go.opentelemetry.io/collector/service/telemetry/otelconftelemetry"
)

const version = "0.165.0"

func must[F any](made map[component.Type]F, err error) map[component.Type]F {
	if err != nil {
		log.Fatal(err)
	}
	return made
}

func factories() (otelcol.Factories, error) {
	return otelcol.Factories{
		Receivers:  must(otelcol.MakeFactoryMap[receiver.Factory](otlpreceiver.NewFactory())),
		Processors: must(otelcol.MakeFactoryMap[processor.Factory](batchprocessor.NewFactory())),
		Exporters: must(otelcol.MakeFactoryMap[exporter.Factory](
			otlpexporter.NewFactory(), otlphttpexporter.NewFactory(), fileexporter.NewFactory())),
		Extensions: must(otelcol.MakeFactoryMap[extension.Factory](filestorage.NewFactory())),
		Telemetry:  otelconftelemetry.NewFactory(),
	}, nil
}

func main() {
	settings := otelcol.CollectorSettings{
		BuildInfo: component.BuildInfo{Command: "collector", Version: version},
		Factories: factories,
		ConfigProviderSettings: otelcol.ConfigProviderSettings{
			ResolverSettings: confmap.ResolverSettings{
				DefaultScheme:     "file",
				ProviderFactories: []confmap.ProviderFactory{fileprovider.NewFactory()},
			},
		},
	}
	if err := otelcol.NewCommand(settings).Execute(); err != nil {
		log.Fatal(err)
	}
}
