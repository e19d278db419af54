import reactHooks from "eslint-plugin-react-hooks";
import tseslint from "typescript-eslint";

// app → features → components → api; a feature knows no other.
const layer = (files, ...patterns) => ({
  files: [`src/${files}/**/*.{ts,tsx}`],
  rules: { "no-restricted-imports": ["error", { patterns: patterns.map((regex) => ({ regex })) }] },
});

export default tseslint.config(
  { ignores: ["dist", "node_modules", "src/api/schema.gen.ts"] },
  ...tseslint.configs.strictTypeChecked,
  {
    files: ["src/**/*.{ts,tsx}"],
    languageOptions: { parserOptions: { projectService: true } },
    plugins: { "react-hooks": reactHooks },
    rules: {
      ...reactHooks.configs.recommended.rules,
      "max-lines": ["error", 250],
      complexity: ["error", 12],
      "@typescript-eslint/restrict-template-expressions": ["error", { allowNumber: true }],
      "@typescript-eslint/no-confusing-void-expression": "off",
      "@typescript-eslint/no-misused-promises": ["error", { checksVoidReturn: { attributes: false } }],
      "@typescript-eslint/no-unnecessary-condition": "off",
    },
  },
  layer("api", "/(app|features|components)/"),
  layer("components", "/(app|features)/"),
  layer("features", "/app/", "^\\.\\./(?!\\.\\./)"),
  { files: ["*.{js,ts}", "scripts/*.mjs"], ...tseslint.configs.disableTypeChecked },
);
