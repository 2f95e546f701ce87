// `sluice gateway`: runs the door from outside.
import { Command } from "commander";
import type { Terminal } from "../terminal/terminal.js";

const examples = `
Examples:
  Before two streaming services:
    $ sluice gateway --gateway.upstreams=http://10.0.0.1:8081,http://10.0.0.2:8081 --auth.issuer=https://login.example
  From a file, with TLS:
    $ sluice gateway --config gateway.yaml --gateway.host=0.0.0.0 --gateway.port=443 \\
        --gateway.tls.cert_file=tls.crt --gateway.tls.key_file=tls.key
  For a test-suite of WebSocket, before an echo of its own or that of sluice serve --echo:
    $ sluice gateway --echo --gateway.port=9002 --server.compression
  Behind a proxy that says who the caller is:
    $ SLUICE_GATEWAY__UPSTREAMS=http://127.0.0.1:8081 sluice gateway --gateway.trusted_proxies=10.0.0.0/8

Every setting is a flag, an environment variable and a key of the file: \`sluice config print\` shows them, those of
the door under gateway; auth.* says whose tokens are believed, as for sluice serve. SIGHUP, or a change of the file, reads
upstreams, origins, hosts, limits, tunnel bounds and the TLS files again; tunnels live on. SIGTERM and Ctrl-C drain, a second one ends at once.
Exit code: 0 after a drain, 78 for a wrong configuration, with every problem on stderr.`;

/** `sluice gateway`. */
export function gatewayCommand(terminal: Terminal): Command {
  return new Command("gateway")
    .description("Run the gateway: authenticates, limits, and leads to the streaming services")
    .usage("[--config <file>] [--any.setting=value]…")
    .option("--config <file>", "YAML file (default: SLUICE_CONFIG, or none)")
    .option("--echo", "test mode: lead anybody to an echo; between loopback addresses only")
    .allowUnknownOption()
    .allowExcessArguments()
    .addHelpText("after", examples)
    .action(async ({ config, echo }: { config?: string; echo?: true }, command: Command) => {
      if (echo === true) {
        const { runGatewayEcho } = await import("../gateway/run-gateway-echo.js");
        await runGatewayEcho({ config, flags: command.args }, terminal);
        return;
      }
      const { runGatewayCommand } = await import("../gateway/run-gateway-command.js");
      await runGatewayCommand({ config, flags: command.args }, terminal);
    });
}
