export { createGateway, type CreateGatewayOptions, type SluiceGateway } from "./create-gateway.js";
