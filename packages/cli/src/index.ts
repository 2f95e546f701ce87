// The command line as a part of other programs and of tests.
export { runProgram } from "./run-program.js";
export type { InputStream, OutputStream, Terminal } from "./terminal/terminal.js";
