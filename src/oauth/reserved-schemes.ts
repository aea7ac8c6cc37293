/** URI schemes that no client may register for its redirects (CR-01). */

const runScript = 'javascript jscript livescript mocha vbscript applescript'
const showContent =
  'about blob cid data feed file filesystem jar mhtml mid mk res resource view-source wyciwyg'
const belongToBrowsers =
  'brave browser chrome chrome-extension chrome-untrusted devtools edge firefox googlechrome ' +
  'microsoft-edge moz-extension opera safari-web-extension'
const areProtocols =
  'afp cifs dav davs ftp ftps git gopher http https ldap ldaps news nfs nntp rdp sftp smb ssh ' +
  'telnet vnc ws wss'
const nameThings = 'callto did facetime geo mailto mms sip sips sms tag tel urn'
const startPrograms =
  'android-app hcp help intent ios-app itms itms-apps itms-services market ms-access ' +
  'ms-appinstaller ms-cxh ms-excel ms-msdt ms-officecmd ms-powerpoint ms-settings ms-visio ' +
  'ms-word search search-ms shell x-apple.systempreferences'

/**
 * The schemes, in lower case.
 *
 * They run script or show content, belong to browsers or to network protocols, name things rather than
 * apps, or start a program of the operating system that acts on what the URI says.
 */
export const reservedSchemes: ReadonlySet<string> = new Set(
  [runScript, showContent, belongToBrowsers, areProtocols, nameThings, startPrograms]
    .join(' ')
    .split(' '),
)
