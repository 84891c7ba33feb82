import { globSync } from "node:fs";
import { join } from "node:path";
import ts from "typescript";

/**
 * What the translation does with the messages of xDS, as the compiler understands it: which fields it accepts, and which it reads. A field of
 * another message with the same name does not count.
 */
export interface FieldUse {
  /** `package.Message.field`: accepted by a call that refuses the others. */
  readonly accepted: ReadonlySet<string>;
  readonly read: ReadonlySet<string>;
  /** Messages whose other fields are refused. */
  readonly checked: ReadonlySet<string>;
  /** Messages of which a field is read. */
  readonly messages: ReadonlyMap<string, MessageFields>;
}

/** @param folder its sources are looked at, but for tests */
export function fieldUseOf(folder: string): FieldUse {
  const files = globSync("**/*.ts", { cwd: folder })
    .filter((file) => !file.endsWith(".test.ts") && !/(^|\/)testing\//.test(file))
    .map((file) => join(folder, file));
  const program = ts.createProgram(files, {
    target: ts.ScriptTarget.ESNext,
    module: ts.ModuleKind.NodeNext,
    moduleResolution: ts.ModuleResolutionKind.NodeNext,
    strict: true,
    noEmit: true,
    skipLibCheck: true,
    allowImportingTsExtensions: true,
    types: ["node"],
  });
  const survey = new Survey(program.getTypeChecker());
  for (const file of files) {
    const source = program.getSourceFile(file);
    if (source !== undefined) survey.visit(source);
  }
  return survey;
}

class Survey implements FieldUse {
  readonly accepted = new Set<string>();
  readonly read = new Set<string>();
  readonly checked = new Set<string>();
  readonly messages = new Map<string, MessageFields>();
  readonly #checker: ts.TypeChecker;

  constructor(checker: ts.TypeChecker) {
    this.#checker = checker;
  }

  visit(node: ts.Node): void {
    if (ts.isCallExpression(node)) this.#onCall(node);
    else if (ts.isPropertyAccessExpression(node)) this.#onRead(this.#checker.getSymbolAtLocation(node.name));
    else if (ts.isBindingElement(node) && ts.isObjectBindingPattern(node.parent)) this.#onBinding(node);
    else if (ts.isBinaryExpression(node)) this.#onComparison(node.left, node.right);
    else if (ts.isCaseClause(node)) this.#onComparison(node.parent.parent.expression, node.expression);
    ts.forEachChild(node, (child) => this.visit(child));
  }

  #onCall(call: ts.CallExpression): void {
    this.#onAccepted(call.arguments);
    this.#onPassed(call);
  }

  /** A message for an interface that has some of its fields: these are read. */
  #onPassed(call: ts.CallExpression): void {
    const parameters = this.#checker.getResolvedSignature(call)?.parameters ?? [];
    for (const [i, argument] of call.arguments.entries()) {
      const parameter = parameters[i];
      const type = this.#checker.getTypeAtLocation(argument);
      if (parameter === undefined) continue;
      const wanted = this.#checker.getNonNullableType(this.#checker.getTypeOfSymbolAtLocation(parameter, call));
      if ((wanted.symbol?.flags & ts.SymbolFlags.Interface) === 0) continue;
      for (const { name } of wanted.getProperties()) this.#onRead(type.getProperty(name));
    }
  }

  /** A schema and a list of names: the fields of the schema that are accepted. */
  #onAccepted([schema, ...others]: readonly ts.Expression[]): void {
    if (schema === undefined) return;
    const type = this.#checker.getTypeAtLocation(schema);
    const message = (type.aliasTypeArguments ?? this.#checker.getTypeArguments(type as ts.TypeReference))[0];
    const name = message === undefined ? undefined : messageName(message);
    if (name === undefined) return;
    for (const list of others.filter((other) => this.#isList(other))) {
      this.checked.add(name);
      for (const field of this.#stringsOf(list)) this.accepted.add(`${name}.${field}`);
    }
  }

  #isList(expression: ts.Expression): boolean {
    return this.#checker.isArrayLikeType(this.#checker.getTypeAtLocation(expression));
  }

  #stringsOf(list: ts.Expression): string[] {
    if (ts.isParenthesizedExpression(list)) return this.#stringsOf(list.expression);
    if (ts.isConditionalExpression(list))
      return [...this.#stringsOf(list.whenTrue), ...this.#stringsOf(list.whenFalse)];
    if (ts.isArrayLiteralExpression(list))
      return list.elements.flatMap((element) => {
        if (ts.isStringLiteral(element)) return [element.text];
        return ts.isSpreadElement(element) ? this.#stringsOf(element.expression) : [];
      });
    if (ts.isAsExpression(list)) return this.#stringsOf(list.expression);
    if (!ts.isIdentifier(list)) return [];
    const symbol = this.#checker.getSymbolAtLocation(list);
    const aliased =
      symbol !== undefined && (symbol.flags & ts.SymbolFlags.Alias) !== 0
        ? this.#checker.getAliasedSymbol(symbol)
        : symbol;
    const declared = aliased?.valueDeclaration;
    if (declared === undefined || !ts.isVariableDeclaration(declared) || declared.initializer === undefined) return [];
    return this.#stringsOf(declared.initializer);
  }

  #onBinding(node: ts.BindingElement): void {
    const name = node.propertyName ?? node.name;
    if (ts.isIdentifier(name)) this.#onRead(this.#checker.getTypeAtLocation(node.parent).getProperty(name.text));
  }

  #onRead(property: ts.Symbol | undefined): void {
    for (const declaration of property?.declarations ?? []) {
      // `case` alone says nothing of the fields of a oneof: only what it is compared with does.
      if (ts.isPropertySignature(declaration) && property?.name !== "case") this.#readBy(declaration);
    }
  }

  /** `oneof.case === "name"` */
  #onComparison(left: ts.Expression, right: ts.Expression): void {
    if (!ts.isStringLiteral(right)) return;
    if (ts.isIdentifier(left)) {
      const declared = this.#checker.getSymbolAtLocation(left)?.valueDeclaration;
      if (declared !== undefined && ts.isVariableDeclaration(declared) && declared.initializer !== undefined)
        this.#onComparison(declared.initializer, right);
      return;
    }
    if (!ts.isPropertyAccessExpression(left) || left.name.text !== "case") return;
    const cases = this.#checker.getNonNullableType(this.#checker.getTypeAtLocation(left.expression));
    for (const member of cases.isUnion() ? cases.types : [cases])
      for (const declaration of member.getProperty("case")?.declarations ?? [])
        if (ts.isPropertySignature(declaration) && caseOf(declaration) === right.text) this.#readBy(declaration);
    // What it was narrowed to before does not matter.
    for (const declaration of this.#checker.getSymbolAtLocation(left.name)?.declarations ?? [])
      if (ts.isPropertySignature(declaration) && caseOf(declaration) === right.text) this.#readBy(declaration);
  }

  #readBy(declaration: ts.PropertySignature): void {
    const alias = ts.findAncestor(declaration, ts.isTypeAliasDeclaration);
    const fields = alias === undefined ? undefined : fieldsOf(alias);
    if (fields === undefined) return;
    this.messages.set(fields.message, fields);
    // Of a oneof the two properties of a member stand for its field.
    const field = fields.names.get(declaration) ?? fields.names.get(declaration.parent);
    if (field !== undefined) this.read.add(field);
  }
}

export interface MessageFields {
  readonly message: string;
  /** Names of the .proto with that of the message, by the property, or the member of a oneof. */
  readonly names: ReadonlyMap<ts.Node, string>;
  /** Those outside of oneofs, of which one that is not known is refused where none of the others is there. */
  readonly fields: readonly string[];
}

const known = new WeakMap<ts.TypeAliasDeclaration, MessageFields>();

/** @returns undefined where it is not a generated message */
function fieldsOf(alias: ts.TypeAliasDeclaration): MessageFields | undefined {
  const before = known.get(alias);
  if (before !== undefined) return before;
  const message = /@generated from message (\S+)/.exec(alias.getFullText())?.[1];
  if (message === undefined || !ts.isIntersectionTypeNode(alias.type)) return undefined;
  const names = new Map<ts.Node, string>();
  const add = (node: ts.TypeElement, at: ts.Node): void => {
    const comment = node.getFullText().slice(0, node.getLeadingTriviaWidth());
    const name = /@generated from field: .*?(\w+) = \d+/s.exec(comment)?.[1];
    if (name !== undefined) names.set(at, `${message}.${name}`);
  };
  for (const part of alias.type.types.filter((type) => ts.isTypeLiteralNode(type)))
    for (const property of part.members) {
      add(property, property);
      if (!ts.isPropertySignature(property) || property.type === undefined || !ts.isUnionTypeNode(property.type))
        continue;
      for (const member of property.type.types.filter((type) => ts.isTypeLiteralNode(type)))
        for (const inner of member.members) add(inner, member);
    }
  const fields = {
    message,
    names,
    fields: [...names].flatMap(([node, name]) => (ts.isPropertySignature(node) ? [name] : [])),
  };
  known.set(alias, fields);
  return fields;
}

function caseOf({ type }: ts.PropertySignature): string | undefined {
  return type !== undefined && ts.isLiteralTypeNode(type) && ts.isStringLiteral(type.literal)
    ? type.literal.text
    : undefined;
}

function messageName(type: ts.Type): string | undefined {
  const alias = type.aliasSymbol?.declarations?.find((declaration) => ts.isTypeAliasDeclaration(declaration));
  return alias === undefined ? undefined : fieldsOf(alias)?.message;
}
