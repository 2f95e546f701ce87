export { WatchedFiles, type WatchedFilesOptions } from "./tls/watched-files.js";
export { createGateway, type CreateGatewayOptions, type SluiceGateway } from "./create-gateway.js";
