export default {
  base: "./",
  build: { chunkSizeWarningLimit: 2000 },
  logLevel: "warn",
};
