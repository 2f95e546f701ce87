// The command line as a part of other programs and of tests.
export { runProgram } from "./run-program.js";
export { readPageFiles } from "./start/page/page-files.js";
export { servePage } from "./start/page/page-server.js";
export type { InputStream, OutputStream, Terminal } from "./terminal/terminal.js";
